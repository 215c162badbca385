// Twin of shaders/lib/layout.wgsl, by single rows.

import { TILE } from '../../src/runtime/tensor.js';

export { TILE };

/** Index of feature 0 of `row` in a tiled tensor [rows / 64, features, 64]; feature f is f · TILE further. */
export const tiled = (features: number, row: number): number => Math.floor(row / TILE) * features * TILE + (row % TILE);

/** Elements of a tiled tensor that holds `rows` rows. */
export const tiledLength = (features: number, rows: number): number => Math.ceil(rows / TILE) * TILE * features;

/** Where the weight of output o by input k lies in a layer that is packed in strips of 8 outputs, or for quads (src/tuning/quad-layers.ts). */
export const weightPlace = (isPacked: boolean, inputs: number, o: number, k: number): number =>
  isPacked
    ? ((Math.floor(o / 4) * Math.ceil(inputs / 4) + Math.floor(k / 4)) * 4 + (o % 4)) * 4 + (k % 4)
    : (Math.floor(o / 8) * inputs + k) * 8 + (o % 8);
