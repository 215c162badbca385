import { ceilDiv, defineKernel } from '../runtime/kernel.js';
import * as source from './generated/linear-backward.js';

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

export const columnSums = /*#__PURE__*/ defineKernel(source.columnSums, (_, { features }) => [
  ceilDiv(features, source.columnSums.workgroupSize[0]),
  1,
  1,
]);
