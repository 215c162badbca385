import * as kernels from '../../src/kernels/generated/batch-norm-backward.js';
import { TILE, tiled } from './layout.js';
import { defineTwin } from './twin.js';

const offsetOf = (variance: number, eps: number, isFactor: boolean): number =>
  isFactor ? 1 / Math.sqrt(variance + eps) : -0.5 * Math.log(variance + eps);

export const batchMoments = defineTwin(kernels.batchMoments, ({ buffers, params, constants: { FACTOR }, rows }) => {
  const { source: x, running, order, center, offset } = buffers;
  const { features, variance_at, eps, momentum } = params;
  for (let f = 0; f < features; f++) {
    let mean = 0;
    for (let row = 0; row < rows; row++) mean += x[tiled(features, row) + f * TILE]! / rows;
    let variance = 0;
    for (let row = 0; row < rows; row++) variance += (x[tiled(features, row) + f * TILE]! - mean) ** 2 / rows;
    center[f] = mean;
    offset[f] = offsetOf(variance, eps, FACTOR);
    const at = order[f]!;
    running[at] = (1 - momentum) * running[at]! + momentum * mean;
    const unbiased = (variance * rows) / Math.max(1, rows - 1);
    running[variance_at + at] = (1 - momentum) * running[variance_at + at]! + momentum * unbiased;
  }
});

export const runningMoments = defineTwin(
  kernels.runningMoments,
  ({ buffers: { settled, order, center, offset }, params, constants: { FACTOR } }) => {
    for (let f = 0; f < params.features; f++) {
      center[f] = settled[order[f]!]!;
      offset[f] = offsetOf(settled[params.variance_at + order[f]!]!, params.eps, FACTOR);
    }
  },
);

export const batchMomentsBackward = defineTwin(
  kernels.batchMomentsBackward,
  ({ buffers, params: { features }, constants: { FACTOR }, rows }) => {
    const { source: x, at_center, at_offset, d_center, d_offset, y } = buffers;
    for (let row = 0; row < rows; row++)
      for (let f = 0; f < features; f++) {
        const at = tiled(features, row) + f * TILE;
        const precision = FACTOR ? at_offset[f]! ** 3 : Math.exp(2 * at_offset[f]!);
        y[at] = (d_center[f]! - d_offset[f]! * precision * (x[at]! - at_center[f]!)) / rows;
      }
  },
);
