import { ceilDiv, defineKernel } from '../runtime/kernel.js';
import type { Recorder } from '../runtime/recorder.js';
import type { Tensor, TiledTensor } from '../runtime/tensor.js';
import * as source from './generated/linear-backward.js';
import { listKernel } from './geometry.js';

/** Inputs and outputs that one invocation takes. */
const BLOCK = 8;

export const weightGradient = /*#__PURE__*/ defineKernel(
  source.weightGradient,
  (_, { inputs, outputs }) => {
    const [x, y] = source.weightGradient.workgroupSize;
    return [ceilDiv(ceilDiv(inputs, BLOCK), x), ceilDiv(ceilDiv(outputs, BLOCK), y), 1];
  },
  ({ params: { inputs, outputs, blocks } }) => inputs * outputs * blocks,
);

export const columnSums = /*#__PURE__*/ listKernel(source.columnSums, ({ features }) => features);

/** Records total[f · stride] += factor · Σ over rows and blocks of terms[at + b · features + f], f below `features`: by default all of them, side by side. */
export function recordColumnSums(
  r: Recorder,
  terms: TiledTensor,
  total: Tensor,
  { features = terms.features, at = 0, factor = 1, stride = 1, blocks = 1 } = {},
): void {
  r.run(columnSums, { buffers: { terms, total }, params: { features, source_features: terms.features, at, factor, stride, blocks } });
}
