import { householderColumns, transpose } from '../../src/flows/linear-algebra.js';
import { packLinear } from '../../src/kernels/linear-strips.js';
import { reflections } from '../../src/kernels/reflections-backward.js';
import { Random } from '../support/random.js';
import { defineCases, table } from './case.js';

const SHAPES = [
  [1, 1],
  [2, 2],
  [5, 3],
  [63, 5],
  [63, 63],
  [70, 4],
] as const;

/** The same for one shape: vectors and what was made of them are buffers of their own. */
const vectorsOf = (dim: number, count: number): Float32Array<ArrayBuffer> => new Random(dim + count).normals(count * dim);

/** H_K … H_1, packed. */
const packed = (dim: number, count: number): Float32Array<ArrayBuffer> =>
  packLinear({ weight: Float32Array.from(transpose(householderColumns(vectorsOf(dim, count), dim, dim), dim, dim)), inputs: dim }).weight;

const shape = (dim: number, count: number) => ({
  name: `D ${dim}, ${count} reflections`,
  rows: 1,
  params: { features: dim, reflections: count },
});

export const reflectionsCases = defineCases(
  reflections.product,
  SHAPES.map(([dim, count]) => ({
    ...shape(dim, count),
    buffers: {
      vectors: table(() => vectorsOf(dim, count)),
      weight: table((random) => random.normals(Math.ceil(dim / 8) * 8 * dim)),
    },
    tolerance: { bound: 1e-6 * Math.sqrt(count) },
  })),
);

export const reflectionsBackwardCases = defineCases(
  reflections.productBackward,
  SHAPES.map(([dim, count]) => ({
    ...shape(dim, count),
    buffers: {
      vectors: table(() => vectorsOf(dim, count)),
      made: table(() => packed(dim, count)),
      d_weight: table((random) => random.normals(Math.ceil(dim / 8) * 8 * dim)),
      work: table(() => new Float32Array(2 * dim * (dim + 1))),
      d_vectors: table((random) => random.normals(count * dim)),
    },
    tolerance: { bound: 1e-6 * Math.sqrt(count) },
    scratch: ['work'],
  })),
);
