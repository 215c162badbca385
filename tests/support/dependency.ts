// Which outputs of a flow may depend on which inputs, from its description alone.

import type { OpDescription } from '../../src/format/description.js';

/** [D, D] row-major: 1 where z[i] may depend on x[j]. */
export type Pattern = Uint8Array;

const fill = (dim: number, open: (i: number, j: number) => boolean): Pattern =>
  Uint8Array.from({ length: dim * dim }, (_, at) => (open(Math.floor(at / dim), at % dim) ? 1 : 0));

const triangular = (dim: number, order: readonly number[] | undefined): Pattern =>
  fill(dim, (i, j) => i === j || (order ? order[j]! < order[i]! : j < i));

const split = (dim: number, passes: (feature: number) => boolean): Pattern => fill(dim, (i, j) => i === j || (!passes(i) && passes(j)));

function patternOf(op: OpDescription, dim: number): Pattern {
  switch (op.op) {
    case 'permute':
      return fill(dim, (i, j) => op.perm[i] === j);
    case 'batchnorm':
    case 'actnorm':
    case 'wrap':
    case 'zuko_elementwise':
      return fill(dim, (i, j) => i === j);
    case 'ar_affine':
    case 'iaf_affine':
    case 'iaf_scale_shift':
    case 'ar_rqs':
    case 'ar_spline':
    case 'ar_mixture':
    case 'zuko_ar':
      return triangular(dim, op.order);
    case 'coupling_affine':
    case 'coupling_rqs':
    case 'coupling_spline':
    case 'coupling_mixture':
      return split(dim, (feature) => op.identity.includes(feature));
    case 'zuko_coupling':
      return split(dim, (feature) => op.mask[feature] === 1);
    default:
      return fill(dim, () => true);
  }
}

/** The pattern of all ops together, in density order. */
export function dependencyPattern(structure: readonly OpDescription[], dim: number): Pattern {
  return structure.reduce(
    (before, op) => {
      const own = patternOf(op, dim);
      return fill(dim, (i, j) => Array.from({ length: dim }, (_, k) => k).some((k) => own[i * dim + k] === 1 && before[k * dim + j] === 1));
    },
    fill(dim, (i, j) => i === j),
  );
}
