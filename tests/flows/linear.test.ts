// Linear layers against plain float64 arithmetic written here, their accuracy, the orders of permutations, norms, and what is refused.

import { describe, expect, test } from 'vitest';
import { TensorWriter } from '../../src/flows/recipes/initial.js';
import { permutation } from '../../src/flows/recipes/linear.js';
import { descriptionFromMetadata } from '../../src/format/format.js';
import { readSafetensors } from '../../src/format/safetensors.js';
import { type Flow, FormatError, maf, realNVP, ValueError } from '../../src/index.js';
import { expectError, wrong } from '../support/errors.js';
import { useGpu } from '../support/gpu.js';
import { logAbsDeterminant } from '../support/linear-algebra.js';
import { freshSeed, Random } from '../support/random.js';
import { describedFlow } from './structures.js';

const held = useGpu();

const softplus = (v: number) => Math.log1p(Math.exp(v));

/** Matrix times vector, float64. */
const times = (matrix: Float64Array, x: ArrayLike<number>, dim: number): Float64Array =>
  Float64Array.from({ length: dim }, (_, i) => Array.from(x).reduce((sum, value, j) => sum + matrix[i * dim + j]! * value, 0));

const product = (a: Float64Array, b: Float64Array, dim: number): Float64Array =>
  Float64Array.from({ length: dim * dim }, (_, at) => {
    let sum = 0;
    for (let k = 0; k < dim; k++) sum += a[Math.floor(at / dim) * dim + k]! * b[k * dim + (at % dim)]!;
    return sum;
  });

/** Fills a strict triangle row by row and the diagonal. */
function triangle(dim: number, side: 'lower' | 'upper', entries: Float32Array, diagonal: ArrayLike<number>): Float64Array {
  const matrix = new Float64Array(dim * dim);
  let next = 0;
  for (let i = 0; i < dim; i++)
    for (let j = 0; j < dim; j++) {
      if (i === j) matrix[i * dim + j] = diagonal[i]!;
      else if (side === 'lower' ? j < i : j > i) matrix[i * dim + j] = entries[next++]!;
    }
  return matrix;
}

/** H_K … H_1 as a matrix. */
function orthogonal(vectors: Float32Array, dim: number): Float64Array {
  let matrix: Float64Array = Float64Array.from({ length: dim * dim }, (_, at) => (Math.floor(at / dim) === at % dim ? 1 : 0));
  for (let k = 0; k < vectors.length / dim; k++) {
    const v = vectors.subarray(k * dim, (k + 1) * dim);
    const square = v.reduce((sum, value) => sum + value * value, 0);
    const reflection = Float64Array.from(
      { length: dim * dim },
      (_, at) => (Math.floor(at / dim) === at % dim ? 1 : 0) - (2 * v[Math.floor(at / dim)]! * v[at % dim]!) / square,
    );
    matrix = product(reflection, matrix, dim);
  }
  return matrix;
}

interface Layer {
  readonly flow: Flow;
  /** z = matrix x + bias. */
  readonly matrix: Float64Array;
  readonly bias: Float32Array;
}

/** Random layers of each op, with tensors named as nflows names them. */
const layers: Record<string, (random: Random, dim: number) => Layer> = {
  lu_linear(random, dim) {
    const writer = new TensorWriter(0);
    const entries = (dim * (dim - 1)) / 2;
    const [lower, upper, diagonal, bias] = [entries, entries, dim, dim].map((count) => random.normals(count, 0.3));
    writer.float('lu.lower_entries', [entries], lower!);
    writer.float('lu.upper_entries', [entries], upper!);
    writer.float('lu.unconstrained_upper_diag', [dim], diagonal!);
    writer.float('lu.bias', [dim], bias!);
    const left = triangle(dim, 'lower', lower!, new Float64Array(dim).fill(1));
    const right = triangle(
      dim,
      'upper',
      upper!,
      diagonal!.map((v) => softplus(v) + 1e-3),
    );
    const structure = [{ op: 'lu_linear', prefix: 'lu', eps: 1e-3 }] as const;
    return {
      flow: describedFlow(held.gpu, writer, { features: dim, structure: [...structure] }),
      matrix: product(left, right, dim),
      bias: bias!,
    };
  },
  qr_linear(random, dim) {
    const writer = new TensorWriter(0);
    const entries = (dim * (dim - 1)) / 2;
    const count = Math.max(1, dim - 2);
    const [upper, diagonal, bias] = [entries, dim, dim].map((length) => random.normals(length, 0.3));
    const vectors = random.normals(count * dim);
    writer.float('qr.upper_entries', [entries], upper!);
    writer.float('qr.log_upper_diag', [dim], diagonal!);
    writer.float('qr.orthogonal.q_vectors', [count, dim], vectors);
    writer.float('qr.bias', [dim], bias!);
    const right = triangle(dim, 'upper', upper!, Float64Array.from(diagonal!, Math.exp));
    const flow = describedFlow(held.gpu, writer, { features: dim, structure: [{ op: 'qr_linear', prefix: 'qr' }] });
    return { flow, matrix: product(orthogonal(vectors, dim), right, dim), bias: bias! };
  },
  householder(random, dim) {
    const writer = new TensorWriter(0);
    const vectors = random.normals(3 * dim);
    writer.float('v', [3, dim], vectors);
    const flow = describedFlow(held.gpu, writer, { features: dim, structure: [{ op: 'householder', vectors: 'v' }] });
    return { flow, matrix: orthogonal(vectors, dim), bias: new Float32Array(dim) };
  },
  matmul_right(random, dim) {
    const writer = new TensorWriter(0);
    const weight = random.normals(dim * dim);
    writer.float('W', [dim, dim], weight);
    const matrix = Float64Array.from({ length: dim * dim }, (_, at) => weight[(at % dim) * dim + Math.floor(at / dim)]!);
    const flow = describedFlow(held.gpu, writer, { features: dim, structure: [{ op: 'matmul_right', key: 'W' }] });
    return { flow, matrix, bias: new Float32Array(dim) };
  },
};

describe.each(Object.entries(layers))('%s', (_, make) => {
  test.each([1, 2, 5, 9, 24])('D %i is its matrix, both ways, with its log-det', async (dim) => {
    const random = new Random(freshSeed());
    const note = `VITE_TEST_SEED=${random.seed}`;
    const { flow, matrix, bias } = make(random, dim);
    const rows = 70;
    const x = random.normals(rows * dim);
    const forward = await flow.forward(x);
    const logDet = logAbsDeterminant(matrix, dim);
    const back = await flow.inverse(forward.z);
    for (let row = 0; row < rows; row++) {
      const want = times(matrix, x.subarray(row * dim, (row + 1) * dim), dim);
      for (let f = 0; f < dim; f++)
        expect(Math.abs(forward.z[row * dim + f]! - want[f]! - bias[f]!), note).toBeLessThan(1e-5 * (1 + Math.abs(want[f]!)));
      expect(Math.abs(forward.logDet[row]! - logDet), note).toBeLessThan(1e-5 * (1 + Math.abs(logDet)));
      expect(Math.abs(back.logDet[row]! + logDet), note).toBeLessThan(1e-5 * (1 + Math.abs(logDet)));
      // What comes back maps to z again: the residual, which the condition of the matrix does not magnify.
      const again = times(matrix, back.x.subarray(row * dim, (row + 1) * dim), dim);
      const scale = Math.max(...Array.from(forward.z.subarray(row * dim, (row + 1) * dim), Math.abs), 1);
      for (let f = 0; f < dim; f++) expect(Math.abs(again[f]! + bias[f]! - forward.z[row * dim + f]!), note).toBeLessThan(2e-5 * scale);
    }
    flow.dispose();
  });
});

describe('an ill-conditioned matrix', () => {
  /** Unit lower times upper, both of N(0, 1) entries and D 24: conditions of 10^4 to 10^7. A fixed seed: the figures are quoted. */
  const dim = 24;
  const random = new Random(5);
  const entries = (dim * (dim - 1)) / 2;
  const [lower, upper] = [random.normals(entries), random.normals(entries)];
  const left = triangle(dim, 'lower', lower, new Float64Array(dim).fill(1));
  const right = triangle(dim, 'upper', upper, new Float64Array(dim).fill(Math.fround(softplus(1))));
  const matrix = product(left, right, dim);

  /** Columns of the inverse by elimination in float64. */
  function inverse(): Float64Array {
    const result = new Float64Array(dim * dim);
    for (let c = 0; c < dim; c++) {
      const y = new Float64Array(dim);
      for (let i = 0; i < dim; i++) {
        y[i] = (i === c ? 1 : 0) - y.slice(0, i).reduce((sum, value, j) => sum + left[i * dim + j]! * value, 0);
      }
      for (let i = dim - 1; i >= 0; i--) {
        let sum = y[i]!;
        for (let j = i + 1; j < dim; j++) sum -= right[i * dim + j]! * result[j * dim + c]!;
        result[i * dim + c] = sum / right[i * dim + i]!;
      }
    }
    return result;
  }

  /** Largest |M x − z| of a row, relative to the largest |z|. */
  function residual(x: Float32Array, z: Float32Array): number {
    let worst = 0;
    for (let row = 0; row < x.length / dim; row++) {
      const part = z.subarray(row * dim, (row + 1) * dim);
      const again = times(matrix, x.subarray(row * dim, (row + 1) * dim), dim);
      const scale = Math.max(...Array.from(part, Math.abs));
      for (let f = 0; f < dim; f++) worst = Math.max(worst, Math.abs(again[f]! - part[f]!) / scale);
    }
    return worst;
  }

  test('latents of data come back to themselves by substitution, and by a product with the float64 inverse they do not', async () => {
    const writer = new TensorWriter(0);
    writer.float('lu.lower_entries', [entries], lower);
    writer.float('lu.upper_entries', [entries], upper);
    writer.filled('lu.unconstrained_upper_diag', [dim], 1);
    writer.filled('lu.bias', [dim], 0);
    const solved = describedFlow(held.gpu, writer, { features: dim, structure: [{ op: 'lu_linear', prefix: 'lu', eps: 0 }] });
    const dense = new TensorWriter(0);
    const exact = inverse();
    // x W = z' of a matmul layer whose matrix is the inverse: its forward is the product with the rounded inverse.
    dense.float(
      'W',
      [dim, dim],
      Float32Array.from(exact, (_, at) => exact[(at % dim) * dim + Math.floor(at / dim)]!),
    );
    const multiplied = describedFlow(held.gpu, dense, { features: dim, structure: [{ op: 'matmul_right', key: 'W' }] });
    const z = (await solved.forward(random.normals(64 * dim))).z;
    const [bySubstitution, byInverse] = [residual((await solved.inverse(z)).x, z), residual((await multiplied.forward(z)).z, z)];
    console.info(`residual by substitution ${bySubstitution.toExponential(1)}, by the inverse ${byInverse.toExponential(1)}`);
    expect(bySubstitution).toBeLessThan(2e-6);
    expect(byInverse).toBeGreaterThan(100 * bySubstitution);
  });
});

test('norms are their libraries’ formulas', async () => {
  // nflows: softplus(u) + eps; pytorch-flows: e^γ, its running_var holding eps already; ffjord: e^γ with eps 1e-4.
  const random = new Random(freshSeed());
  const dim = 5;
  const forms = { nflows: ['softplus_plus_eps', 1e-5], ptf: ['exp', 0], ffjord: ['exp', 1e-4] } as const;
  for (const [name, [gammaMap, eps]] of Object.entries(forms)) {
    const writer = new TensorWriter(0);
    const [mean, gamma, beta] = [random.normals(dim), random.normals(dim), random.normals(dim)];
    const variance = random.normals(dim).map((v) => 0.1 + v * v);
    for (const [key, data] of Object.entries({ mean, variance, gamma, beta })) writer.float(key, [dim], data);
    const flow = describedFlow(held.gpu, writer, {
      features: dim,
      structure: [{ op: 'batchnorm', mean: 'mean', var: 'variance', eps, gamma: 'gamma', gamma_map: gammaMap, beta: 'beta' }],
    });
    const x = random.normals(dim);
    const { z, logDet } = await flow.forward(x);
    let total = 0;
    for (let f = 0; f < dim; f++) {
      const gain = gammaMap === 'exp' ? Math.exp(gamma[f]!) : softplus(gamma[f]!) + eps;
      total += Math.log(gain) - 0.5 * Math.log(variance[f]! + eps);
      expect(z[f], name).toBeCloseTo((gain * (x[f]! - mean[f]!)) / Math.sqrt(variance[f]! + eps) + beta[f]!, 4);
    }
    expect(logDet[0], name).toBeCloseTo(total, 4);
  }
});

test('permutations by name', () => {
  const of = (kind: Parameters<typeof permutation>[0], dim: number, seed = 1) => permutation(kind, dim, new TensorWriter(seed));
  expect(of('reverse', 5)).toEqual([4, 3, 2, 1, 0]);
  expect(of('cyclic', 5)).toEqual([1, 2, 3, 4, 0]);
  expect(of('swap_halves', 5)).toEqual([2, 3, 4, 0, 1]);
  expect(of('swap_halves', 4)).toEqual([2, 3, 0, 1]);
  expect(of('permute', 63, 2)).toEqual(of('permute', 63, 2));
  expect(of('permute', 63, 2)).not.toEqual(of('permute', 63, 3));
  expect(of('permute', 63, 2).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 63 }, (_, i) => i));
});

test('recipes put the layer between layers, a given permutation among them', async () => {
  const ops = async (flow: Flow) => descriptionFromMetadata(readSafetensors(await flow.save()).metadata).structure.map(({ op }) => op);
  const size = { dim: 4, layers: 3, hidden: [8] };
  expect(await ops(await realNVP(held.gpu, { ...size, linear: [2, 3, 0, 1] }))).toEqual([
    'coupling_affine',
    'permute',
    'coupling_affine',
    'permute',
    'coupling_affine',
  ]);
  expect((await ops(await realNVP(held.gpu, { ...size, linear: 'qr' }))).filter((op) => op === 'qr_linear')).toHaveLength(2);
  expect((await ops(await maf(held.gpu, { ...size, linear: 'lu' }))).filter((op) => op === 'lu_linear')).toHaveLength(2);
  for (const linear of [[0, 1], [0, 0, 1, 2], [0, 1, 2, 4], [0, 1, 2, 2.5], 'no-such']) {
    const make = () => realNVP(held.gpu, { ...size, linear: wrong(linear) });
    await expectError(make, ValueError, 'E_VALUE', /^layers\.1\.linear: linear needs/);
  }
});

test('matrices that float32 cannot invert are refused', async () => {
  const dim = 2;
  const lu = (value: number) => {
    const writer = new TensorWriter(0);
    for (const name of ['lower_entries', 'upper_entries']) writer.filled(`lu.${name}`, [1], 0.5);
    writer.filled('lu.unconstrained_upper_diag', [dim], value);
    writer.filled('lu.bias', [dim], 0);
    return describedFlow(held.gpu, writer, { features: dim, structure: [{ op: 'lu_linear', prefix: 'lu', eps: 0 }] });
  };
  await expectError(
    () => lu(-200),
    FormatError,
    'E_FORMAT',
    /unconstrained_upper_diag gives a diagonal that float32 cannot divide by|unconstrained_upper_diag: gives a diagonal/,
  );
  const householder = (value: number) => {
    const writer = new TensorWriter(0);
    writer.filled('v', [1, dim], value);
    return describedFlow(held.gpu, writer, { features: dim, structure: [{ op: 'householder', vectors: 'v' }] });
  };
  await expectError(() => householder(0), FormatError, 'E_FORMAT', /v: needs vectors of a length that float32 can square, other than 0/);
  const dense = () => {
    const writer = new TensorWriter(0);
    writer.filled('W', [dim, dim], 1);
    return describedFlow(held.gpu, writer, { features: dim, structure: [{ op: 'matmul_right', key: 'W' }] });
  };
  await expectError(dense, ValueError, 'E_VALUE', /singular/);
});
