import { householder } from '../../src/kernels/householder.js';
import { defineCases, ROWS, table, tiledNormals } from './case.js';

const reflect = (dim: number, reflections: number, rows: number, reverse: boolean) => ({
  name: `D ${dim}, ${reflections} reflections, ${rows} rows${reverse ? ', reverse' : ''}`,
  rows,
  params: { features: dim, reflections },
  constants: { REVERSE: reverse },
  buffers: {
    x: tiledNormals(dim),
    // Entries ±1.3: the factor 2 / |v|² is the same for all of them, though vectors and constants are drawn apart.
    vectors: table((random) => Float32Array.from({ length: reflections * dim }, () => (random.uniform() < 0.5 ? -1.3 : 1.3))),
    constants: table((random) => {
      const factors = new Float64Array(reflections).fill(2 / (dim * Math.fround(1.3) ** 2));
      const rests = factors.map((value) => value - Math.fround(value));
      return Float32Array.from([...factors, ...rests, ...random.normals(dim)]);
    }),
    y: tiledNormals(dim),
  },
  // A feature gets roundings of 1/√D times a dot product, whose terms make √D times a unit: a few a reflection.
  tolerance: { bound: 1e-6 * Math.sqrt(reflections) },
});

export const householderCases = defineCases(householder, [
  ...ROWS.flatMap((rows) => [reflect(5, 3, rows, false), reflect(5, 3, rows, true)]),
  ...[
    [1, 1],
    [2, 2],
    [25, 1],
    [63, 5],
    [63, 63],
  ].flatMap(([dim, count]) => [reflect(dim!, count!, 257, false), reflect(dim!, count!, 257, true)]),
]);
