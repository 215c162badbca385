import { mixtureBackward } from '../../src/kernels/diagonal-mixture-backward.js';
import { defineCases, ROWS, table, tiledNormals } from './case.js';
import { mixtureParameters } from './diagonal-mixture.js';

const shape = (dim: number, components: number, rows = 1) => ({
  name: `D ${dim}, ${components} components, ${rows} rows`,
  rows,
  params: { dim, components },
});
const normals = (length: number, scale = 1) => table((random) => random.normals(length, scale));
const zeros = (length: number) => table(() => new Float32Array(length));
const SIZES = [
  [1, 1],
  [2, 10],
  [5, 3],
  [63, 4],
] as const;

const shares = (dim: number, components: number, rows: number) => ({
  ...shape(dim, components, rows),
  buffers: {
    source: tiledNormals(dim),
    made: mixtureParameters(dim, components, 3),
    d_log_prob: tiledNormals(1),
    shares: tiledNormals(components),
    d_source: tiledNormals(dim),
  },
  // Exponents of some hundreds in 63 dimensions.
  tolerance: { bound: dim > 16 ? 2e-3 : 5e-5 },
});

export const mixtureSharesCases = defineCases(mixtureBackward.shares, [
  ...ROWS.map((rows) => shares(5, 3, rows)),
  ...SIZES.map(([dim, components]) => shares(dim, components, 257)),
]);

const moments = (dim: number, components: number, rows: number) => ({
  ...shape(dim, components, rows),
  buffers: {
    source: tiledNormals(dim),
    made: mixtureParameters(dim, components, 1),
    weighted: tiledNormals(components),
    d_table: zeros(components + 2 * components * dim),
  },
  tolerance: { bound: 2e-4 },
});

export const mixtureMomentsCases = defineCases(mixtureBackward.moments, [
  ...ROWS.map((rows) => moments(5, 3, rows)),
  ...SIZES.map(([dim, components]) => moments(dim, components, 257)),
]);

export const mixtureTableCases = defineCases(
  mixtureBackward.table,
  SIZES.map(([dim, components]) => ({
    ...shape(dim, components),
    buffers: {
      logits: normals(components, 2),
      means: normals(components * dim),
      log_scales: normals(components * dim, 0.5),
      table: zeros(components + 2 * components * dim),
    },
    tolerance: { bound: 2e-6 },
  })),
);

export const mixtureTableBackwardCases = defineCases(
  mixtureBackward.tableBackward,
  SIZES.map(([dim, components]) => ({
    ...shape(dim, components),
    buffers: {
      logits: normals(components, 2),
      made: mixtureParameters(dim, components, 1),
      d_made: normals(components + 2 * components * dim),
      d_logits: normals(components),
      d_means: normals(components * dim),
      d_log_scales: normals(components * dim),
    },
    tolerance: { bound: 4e-6 },
  })),
);
