import { diagonalMixture } from '../../src/kernels/diagonal-mixture.js';
import { defineCases, ROWS, table, tiledNormals } from './case.js';

/** constant [K], mean [K, D], scale or its reciprocal [K, D]. */
export const mixtureParameters = (dim: number, components: number, spread: number) =>
  table((random) => {
    const [constant, mean, scale] = [components, components * dim, components * dim].map((count) => random.normals(count));
    return Float32Array.from([...constant!, ...mean!.map((v) => spread * v), ...scale!.map((v) => Math.exp(0.3 * v))]);
  });

const draw = (dim: number, components: number, rows: number, seed: number, firstRow = 0) => ({
  name: `D ${dim}, ${components} components, ${rows} rows from ${firstRow}, seed ${seed}`,
  rows,
  seed,
  firstRow,
  params: { dim, components, sign: 1 },
  buffers: {
    source: tiledNormals(dim),
    table: mixtureParameters(dim, components, 3),
    thresholds: table((random) => Uint32Array.from({ length: components }, () => random.uniform() * 2 ** 32).sort()),
    z: tiledNormals(dim),
  },
  tolerance: { bound: 4e-7 },
});

export const diagonalMixtureSampleCases = defineCases(diagonalMixture.sample, [
  ...ROWS.map((rows) => draw(5, 3, rows, 2026)),
  draw(1, 1, 257, 7),
  draw(2, 10, 257, 2 ** 53 - 1),
  draw(63, 4, 257, 7, 65_536 + 64),
]);

const density = (dim: number, components: number, rows: number, sign: 1 | -1 = 1, spread = 3) => ({
  name: `D ${dim}, ${components} components, ${rows} rows, sign ${sign}, means ~ ${spread}`,
  rows,
  params: { dim, components, sign },
  buffers: {
    source: tiledNormals(dim),
    table: mixtureParameters(dim, components, spread),
    log_det: tiledNormals(1),
    log_prob: tiledNormals(1),
  },
  tolerance: { bound: 1e-6 },
});

export const diagonalMixtureDensityCases = defineCases(diagonalMixture.logDensity, [
  ...ROWS.map((rows) => density(5, 3, rows)),
  density(1, 1, 257),
  density(2, 10, 257, -1),
  density(63, 4, 257),
  density(2, 5, 257, 1, 1e3), // components so far apart that all but one underflow
]);
