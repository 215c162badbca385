import * as source from '../../src/kernels/generated/class-table-backward.js';
import { TILE, tiled } from './layout.js';
import { defineTwin } from './twin.js';

export const classTableBackward = defineTwin(source.classTableBackward, ({ buffers: { labels, d_y, d_table }, params, rows }) => {
  const { features, classes } = params;
  for (let row = 0; row < rows; row++) {
    const label = labels[tiled(params.label_features, row) + params.label_at * TILE]!;
    if (!Number.isInteger(label) || label < 0 || label >= classes) continue;
    for (let f = 0; f < features; f++) d_table[label * features + f]! += d_y[tiled(features, row) + f * TILE]!;
  }
});
