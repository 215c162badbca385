import * as kernels from '../../src/kernels/generated/batch-norm-backward.js';
import { TILE, tiled } from './layout.js';
import { defineTwin } from './twin.js';

const offsetOf = (variance: number, eps: number): number => -0.5 * Math.log(variance + eps);

export const batchMoments = defineTwin(kernels.batchMoments, ({ buffers: { source: x, running, center, offset }, params, rows }) => {
  const { features, variance_at, eps, momentum } = params;
  for (let f = 0; f < features; f++) {
    let mean = 0;
    for (let row = 0; row < rows; row++) mean += x[tiled(features, row) + f * TILE]! / rows;
    let variance = 0;
    for (let row = 0; row < rows; row++) variance += (x[tiled(features, row) + f * TILE]! - mean) ** 2 / rows;
    center[f] = mean;
    offset[f] = offsetOf(variance, eps);
    running[f] = (1 - momentum) * running[f]! + momentum * mean;
    const unbiased = (variance * rows) / Math.max(1, rows - 1);
    running[variance_at + f] = (1 - momentum) * running[variance_at + f]! + momentum * unbiased;
  }
});

export const runningMoments = defineTwin(kernels.runningMoments, ({ buffers: { settled, center, offset }, params }) => {
  for (let f = 0; f < params.features; f++) {
    center[f] = settled[f]!;
    offset[f] = offsetOf(settled[params.variance_at + f]!, params.eps);
  }
});

export const batchMomentsBackward = defineTwin(kernels.batchMomentsBackward, ({ buffers, params: { features }, rows }) => {
  const { source: x, at_center, at_offset, d_center, d_offset, y } = buffers;
  for (let row = 0; row < rows; row++)
    for (let f = 0; f < features; f++) {
      const at = tiled(features, row) + f * TILE;
      y[at] = (d_center[f]! - d_offset[f]! * Math.exp(2 * at_offset[f]!) * (x[at]! - at_center[f]!)) / rows;
    }
});
