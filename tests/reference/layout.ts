// Twin of shaders/lib/layout.wgsl, by single rows.

import { TILE } from '../../src/runtime/tensor.js';

export { TILE };

/** Index of feature 0 of `row` in a tiled tensor [rows / 64, features, 64]; feature f is f · TILE further. */
export const tiled = (features: number, row: number): number => Math.floor(row / TILE) * features * TILE + (row % TILE);

/** Elements of a tiled tensor that holds `rows` rows. */
export const tiledLength = (features: number, rows: number): number => Math.ceil(rows / TILE) * TILE * features;
