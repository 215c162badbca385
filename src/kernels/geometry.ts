// Grids that several kernels share. Workgroup sizes are the shader's own (generated), never repeated here.

import { ceilDiv, type Grid, type KernelSource } from '../runtime/kernel.js';
import { TILE } from '../runtime/tensor.js';

/** One invocation for four rows. */
export const perRowGroup = (source: KernelSource, rows: number): Grid => [ceilDiv(ceilDiv(rows, 4), source.workgroupSize[0]), 1, 1];

/** One invocation for four rows of one of `count` features (or blocks of features). */
export const perRowGroupAndFeature = (source: KernelSource, rows: number, count: number): Grid => [
  ceilDiv(ceilDiv(rows, 4), source.workgroupSize[0]),
  ceilDiv(count, source.workgroupSize[1]),
  1,
];

/** One workgroup for a tile of 64 rows, and `count` strips along y. */
export const perTile = (source: KernelSource, rows: number, count = 1): Grid => [
  ceilDiv(rows, TILE),
  ceilDiv(count, source.workgroupSize[1]),
  1,
];
