// Linear layers between the layers of a recipe: permutations of every sort, and learned matrices by their factors.

import type { OpDescription } from '../../format/description.js';
import { check, refuse } from '../checks.js';
import { identityOrder } from '../conditioner/packing.js';
import { inverseSoftplus } from '../scalar.js';
import { shuffled, type TensorWriter } from './initial.js';

/** A permutation by name: z[j] = x[D − 1 − j], drawn with the recipe's seed, z[j] = x[(j + 1) mod D], or the halves exchanged. */
export type PermutationKind = 'reverse' | 'permute' | 'cyclic' | 'swap_halves';

/**
 * What stands between two layers. A list is a permutation: z[j] = x[list[j]].
 * `lu` is a matrix P, then L U, and `qr` is R, then D reflections; both are learned and start well-conditioned. docs/flows/linear.md.
 */
export type LinearKind = 'none' | PermutationKind | 'lu' | 'qr' | 'householder' | readonly number[];

export interface LinearOption {
  /** Linear layer before every layer but the first. Default 'none'. */
  readonly linear?: LinearKind;
}

/** Feature of x at each place of z. */
export function permutation(kind: PermutationKind, dim: number, writer: TensorWriter): number[] {
  const order = [...identityOrder(dim)];
  switch (kind) {
    case 'reverse':
      return order.reverse();
    case 'cyclic':
      return order.map((i) => (i + 1) % dim);
    case 'swap_halves': {
      const half = Math.floor(dim / 2);
      return [...order.slice(half), ...order.slice(0, half)];
    }
    case 'permute':
      return shuffled(writer, dim);
  }
}

/** @throws ValueError for a list that is not a permutation of 0 … D − 1. */
export function checkPermutation(place: string, list: readonly number[], dim: number, otherwise = ''): void {
  const holds = Array.isArray(list) && list.length === dim && identityOrder(dim).every((i) => list.includes(i));
  check(holds, place, `each of 0 to ${dim - 1} once${otherwise}`, list);
}

/**
 * The ops of one linear layer, with fresh tensors under `prefix`. Nothing for 'none'.
 * Entries off the diagonals are uniform in ±1/√D, which keeps the condition near 1; diagonals are 1.
 *
 * @throws ValueError for a list that is not a permutation, or another name.
 */
export function writeLinear(writer: TensorWriter, prefix: string, dim: number, kind: LinearKind = 'none'): OpDescription[] {
  const entries = (dim * (dim - 1)) / 2;
  const bound = 1 / Math.sqrt(dim);
  if (typeof kind !== 'string') {
    checkPermutation(`${prefix}: linear`, kind, dim, ', or a name');
    return [{ op: 'permute', perm: [...kind] }];
  }
  switch (kind) {
    case 'none':
      return [];
    case 'reverse':
    case 'permute':
    case 'cyclic':
    case 'swap_halves':
      return [{ op: 'permute', perm: permutation(kind, dim, writer) }];
    case 'lu': {
      const eps = 1e-3;
      const perm = permutation('permute', dim, writer);
      writer.float(`${prefix}.lower_entries`, [entries], writer.draws(entries, bound));
      writer.float(`${prefix}.upper_entries`, [entries], writer.draws(entries, bound));
      writer.filled(`${prefix}.unconstrained_upper_diag`, [dim], inverseSoftplus(1 - eps));
      writer.filled(`${prefix}.bias`, [dim], 0);
      return [
        { op: 'permute', perm },
        { op: 'lu_linear', prefix, eps },
      ];
    }
    case 'qr':
      writer.float(`${prefix}.upper_entries`, [entries], writer.draws(entries, bound));
      writer.filled(`${prefix}.log_upper_diag`, [dim], 0);
      writer.float(`${prefix}.orthogonal.q_vectors`, [dim, dim], writer.draws(dim * dim, 1));
      writer.filled(`${prefix}.bias`, [dim], 0);
      return [{ op: 'qr_linear', prefix }];
    case 'householder':
      writer.float(`${prefix}.q_vectors`, [dim, dim], writer.draws(dim * dim, 1));
      return [{ op: 'householder', vectors: `${prefix}.q_vectors` }];
    default:
      refuse(
        `${prefix}: linear`,
        "a list, or one of 'none', 'reverse', 'permute', 'cyclic', 'swap_halves', 'lu', 'qr', 'householder'",
        kind,
      );
  }
}
