import { classTableBackward } from '../../src/kernels/class-table-backward.js';
import { defineCases, ROWS, table, tiledNormals, ULP } from './case.js';
import { labels } from './class-table.js';

const entry = (features: number, classes: number, rows: number, at = 0) => ({
  name: `${classes} classes, ${features} features, ${rows} rows${at ? `, label at ${at}` : ''}`,
  rows,
  params: { features, classes, label_features: 2 * at + 1, label_at: at },
  buffers: {
    labels: labels(classes, at),
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
