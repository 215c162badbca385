import { determinant } from '../../src/kernels/determinant-backward.js';
import { defineCases, table, ULP } from './case.js';

const normals = (length: number) => table((random) => random.normals(length));
const zeros = (length: number) => table(() => new Float32Array(length));
const SIZES = [1, 2, 5, 63, 70, 260];

/** Near a matrix that turns the order of the rows by one and their signs, so that each step has a pivot to find. */
const matrix = (n: number) =>
  table((random) => random.normals(n * n, 0.15 / Math.sqrt(n)).map((value, at) => value - Number((Math.floor(at / n) + 1) % n === at % n)));

export const invertCases = defineCases(
  determinant.invert,
  SIZES.map((n) => ({
    name: `D ${n}`,
    rows: 1,
    params: { features: n, factor: n === 5 ? 16 : 1 },
    buffers: { matrix: matrix(n), inverse: zeros(n * n), log_det: zeros(4), pivots: zeros(n) },
    tolerance: { bound: (n === 5 ? 16 : 1) * (8 + n) * ULP },
    scratch: ['pivots'],
  })),
);

export const determinantGradientCases = defineCases(
  determinant.gradient,
  SIZES.map((n) => ({
    name: `D ${n}`,
    rows: 1,
    params: { features: n, factor: n === 5 ? 16 : 1 },
    buffers: { made: normals(n * n), d_log_det: normals(4), d_matrix: normals(n * n) },
    tolerance: { bound: 8 * ULP, of: 'inputs' as const },
  })),
);
