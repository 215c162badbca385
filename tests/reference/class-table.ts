import * as source from '../../src/kernels/generated/class-table.js';
import { TILE, tiled } from './layout.js';
import { defineTwin } from './twin.js';

export const classTable = defineTwin(source.classTable, ({ buffers: { labels, table, y }, params, rows }) => {
  const { features, classes } = params;
  for (let row = 0; row < rows; row++) {
    const label = labels[tiled(params.label_features, row) + params.label_at * TILE]!;
    const known = Number.isInteger(label) && label >= 0 && label < classes;
    for (let f = 0; f < features; f++) y[tiled(features, row) + f * TILE] = known ? table[label * features + f]! : Number.NaN;
  }
});
