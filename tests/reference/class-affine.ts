import * as source from '../../src/kernels/generated/class-affine.js';
import { TILE, tiled } from './layout.js';
import { defineTwin } from './twin.js';

const isClass = (label: number, classes: number): boolean => Number.isInteger(label) && label >= 0 && label < classes;

export const classAffine = defineTwin(source.classAffine, ({ buffers: { x, labels, table, y }, params, constants, rows }) => {
  const { features, classes } = params;
  for (let row = 0; row < rows; row++) {
    const label = labels[tiled(params.label_features, row) + params.label_at * TILE]!;
    for (let f = 0; f < features; f++) {
      const at = tiled(features, row) + f * TILE;
      const loc = table[classes + label * features + f]!;
      const factor = table[classes + (classes + label) * features + f]!;
      if (!isClass(label, classes)) y[at] = Number.NaN;
      else y[at] = constants.WHITEN ? (x[at]! - loc) * factor : x[at]! * factor + loc;
    }
  }
});

export const classTerm = defineTwin(source.classTerm, ({ buffers: { labels, table, total }, params, rows }) => {
  for (let row = 0; row < rows; row++) {
    const label = labels[tiled(params.label_features, row) + params.label_at * TILE]!;
    const at = tiled(1, row);
    total[at] = isClass(label, params.classes) ? total[at]! + table[label]! : Number.NaN;
  }
});
