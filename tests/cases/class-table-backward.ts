import { classTableBackward } from '../../src/kernels/class-table-backward.js';
import { paddedRows } from '../../src/runtime/tensor.js';
import { type BufferSpec, defineCases, ROWS, table, tiledNormals, ULP } from './case.js';
import { labels } from './class-table.js';

/** Rows beyond the batch are of class 0, so that their gradients, which are NaN, show where they are not left out. */
const filled = (classes: number, at: number): BufferSpec => {
  const spec = labels(classes, at);
  return {
    ...spec,
    make: (random, rows) => {
      const data = spec.make(random, rows);
      const width = 2 * at + 1;
      for (let row = rows; row < paddedRows(rows); row++) data[(Math.floor(row / 64) * width + at) * 64 + (row % 64)] = 0;
      return data;
    },
  };
};

const entry = (features: number, classes: number, rows: number, at = 0) => ({
  name: `${classes} classes, ${features} features, ${rows} rows${at ? `, label at ${at}` : ''}`,
  rows,
  params: { features, classes, label_features: 2 * at + 1, label_at: at },
  buffers: {
    labels: filled(classes, at),
    d_y: tiledNormals(features),
    d_table: table((random) => random.normals(classes * features)),
  },
  tolerance: { bound: (16 + rows / 64) * ULP, of: 'inputs' as const },
});

export const classTableBackwardCases = defineCases(classTableBackward, [
  ...ROWS.map((rows) => entry(5, 3, rows)),
  ...[1, 2, 63].map((features) => entry(features, 10, 257, 2)),
  entry(5, 1, 1000),
]);
