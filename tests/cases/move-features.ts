import { moveFeatures } from '../../src/kernels/move-features.js';
import { defineCases, ROWS, table, tiledNormals } from './case.js';

/** `features` places of each side, none twice. What y held elsewhere stays. */
const move = (features: number, from: number, to: number, rows: number) => ({
  name: `${features} of ${from} features to places of ${to}, ${rows} rows`,
  rows,
  params: { features, x_features: from, y_features: to },
  buffers: {
    x: tiledNormals(from),
    place: table((random) =>
      Uint32Array.from([...random.permutation(from).slice(0, features), ...random.permutation(to).slice(0, features)]),
    ),
    y: tiledNormals(to),
  },
  tolerance: { bound: 0 },
});

export const moveFeaturesCases = defineCases(moveFeatures, [
  ...ROWS.map((rows) => move(2, 5, 3, rows)),
  move(1, 1, 1, 257),
  move(63, 63, 63, 257),
  move(3, 3, 63, 257),
]);
