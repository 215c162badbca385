import { ceilDiv, defineKernel } from '../runtime/kernel.js';
import type { Recorder } from '../runtime/recorder.js';
import type { TableTensor, Tensor, TiledTensor } from '../runtime/tensor.js';
import * as source from './generated/linear-backward.js';
import { elementKernel, listKernel } from './geometry.js';
import { weightMultiplyAdds } from './linear-strips.js';
import { recordClear } from './parameters.js';

/** Inputs and outputs that one invocation takes. */
const BLOCK = 8;
/** Invocations that are enough to fill a device: fewer are made more by sharing out the pixels. */
const ENOUGH = 4096;

type Size = Readonly<Record<'inputs' | 'outputs' | 'height' | 'width' | 'kernel', number>>;

/** Invocations that take all pixels each. */
const blocksOf = ({ inputs, outputs, kernel }: Size): number => ceilDiv(inputs, BLOCK) * ceilDiv(outputs, BLOCK) * kernel * kernel;

export const weightGradient = /*#__PURE__*/ defineKernel(
  source.weightGradient,
  (_, params) => [ceilDiv(blocksOf(params) * params.parts, source.weightGradient.workgroupSize[0]), 1, 1],
  weightMultiplyAdds,
);

export const sumParts = /*#__PURE__*/ elementKernel(source.sumParts, ({ length }) => length);

export const columnSums = /*#__PURE__*/ listKernel(source.columnSums, ({ features }) => features);

/** Features of a tensor that a convolution reads or writes; shaders/conv2d.wgsl. */
export interface Channels {
  readonly tensor: TiledTensor;
  readonly at: number;
  readonly channel: number;
  readonly pixel: number;
}

/**
 * Records d_weight += the gradient by packed weights of a linear layer, whose blocks are pixels, or of a convolution.
 *
 * @param dBias of a linear layer: takes the gradient by its bias too.
 */
export function recordWeightGradient(
  r: Recorder,
  x: Channels,
  dY: Channels,
  ranges: Tensor,
  dWeight: TableTensor,
  size: Size,
  dBias: TableTensor | null = null,
): void {
  const { inputs, outputs, height, width, kernel } = size;
  const parts = Math.min(height * width, ceilDiv(ENOUGH, blocksOf(size)));
  const { length } = dWeight;
  const target = parts === 1 ? dWeight : r.table(parts * length, 'parts');
  if (parts > 1) recordClear(r, target);
  // Parts would add to one bias at once.
  const ownBias = parts === 1 ? dBias : null;
  if (dBias && !ownBias) recordColumnSums(r, dY.tensor, dBias, { features: outputs, at: dY.at, blocks: height * width });
  r.run(weightGradient, {
    buffers: { x: x.tensor, d_y: dY.tensor, ranges, d_weight: target, d_bias: ownBias ?? r.table(1, 'unused') },
    params: {
      inputs,
      outputs,
      height,
      width,
      kernel,
      parts,
      x_features: x.tensor.features,
      x_at: x.at,
      x_channel: x.channel,
      x_pixel: x.pixel,
      y_features: dY.tensor.features,
      y_at: dY.at,
      y_channel: dY.channel,
      y_pixel: dY.pixel,
    },
    constants: { BIAS: ownBias !== null },
  });
  if (parts > 1) r.run(sumParts, { buffers: { pieces: target, whole_sum: dWeight }, params: { length, parts } });
}

/** Records total[to + f · stride] += factor · Σ over rows and blocks of terms[at + b · features + f], f below `features`: by default all of them, side by side. */
export function recordColumnSums(
  r: Recorder,
  terms: TiledTensor,
  total: Tensor,
  { features = terms.features, at = 0, factor = 1, stride = 1, to = 0, blocks = 1 } = {},
): void {
  r.run(columnSums, { buffers: { terms, total }, params: { features, source_features: terms.features, at, factor, stride, to, blocks } });
}
