import { permute, ZERO } from '../../src/kernels/permute.js';
import { defineCases, ROWS, table, tiledNormals } from './case.js';

/** @param zeros whether every third feature becomes 0. */
const gather = (features: number, source: number, rows: number, zeros = false) => ({
  name: `${features} of ${source} features, ${rows} rows${zeros ? ', zeros between' : ''}`,
  rows,
  params: { features, source_features: source },
  buffers: {
    x: tiledNormals(source),
    index: table((random) => Uint32Array.from({ length: features }, (_, f) => (zeros && f % 3 === 2 ? ZERO : random.integer(source)))),
    y: tiledNormals(features),
  },
  tolerance: { bound: 0 },
});

export const permuteCases = defineCases(permute, [
  ...ROWS.map((rows) => gather(5, 5, rows)),
  gather(1, 1, 257),
  gather(63, 63, 257),
  gather(3, 7, 257),
  gather(9, 2, 257),
  gather(9, 2, 257, true),
]);
