import { implicit } from '../../src/kernels/implicit.js';
import { defineCases, ROWS, tiledNormals, ULP } from './case.js';

const solved = (features: number, rows: number) => ({
  name: `${features} features, ${rows} rows`,
  rows,
  params: { features, steps: features },
  buffers: {
    value: tiledNormals(features),
    goal: tiledNormals(features),
    image: tiledNormals(features),
    log_slope: tiledNormals(features),
    y: tiledNormals(features),
  },
  tolerance: { bound: 64 * ULP }, // differences of normals times e^s, beside a sum that may cancel
});

export const implicitCases = defineCases(implicit, [
  ...ROWS.map((rows) => solved(5, rows)),
  ...[1, 2, 63].map((features) => solved(features, 257)),
]);
