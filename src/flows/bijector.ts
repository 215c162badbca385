// The contract of every flow layer, and the one place where directions and signs are stated.
//
//   forward   x -> z, the density direction
//   inverse   z -> x, the sampling direction
//   log-det   of a call: log|det d output / d input| of that very call, in nats, one number a row
//
// Hence log p(x) = log base(z) + logDet(forward), and log p(x) = log base(z) - logDet(inverse). Papamakarios et al. 2021,
// arXiv:1912.02762. Importers convert from their library's convention; nothing else does.

import type { Recorder } from '../runtime/recorder.js';
import type { TiledTensor } from '../runtime/tensor.js';
import type { Hosting } from './hosted.js';

export interface BijectorCall {
  /** Tiled [1, rows], added to; null where no log-det is wanted, and then nothing of it is recorded. */
  readonly logDet: TiledTensor | null;
  /** Tiled [contextDim, rows]; null for an unconditional flow. */
  readonly context: TiledTensor | null;
  /**
   * Where a layer may put a log-det that no row changes, instead of adding it to `logDet`: such terms are summed in float64 and added
   * once. Missing where nobody sums them, or no log-det is wanted.
   */
  readonly addConstant?: ((logAbsDet: number) => void) | undefined;
}

export interface Bijector {
  /** Where the number of commands depends on the data: what runs whole tasks of a flow that holds this layer. */
  readonly hosted?: Hosting | undefined;
  /** Name in labels, errors and profiles, for example `affine-coupling`. */
  readonly name: string;
  /** D: features in and out. */
  readonly dim: number;
  /** C: features of the context that it reads; 0 where it reads none. */
  readonly contextDim: number;
  /** Records x -> z on tiled [dim, rows] tensors. Records only: no device is touched. */
  forward(r: Recorder, x: TiledTensor, call: BijectorCall): TiledTensor;
  /** Records z -> x. */
  inverse(r: Recorder, z: TiledTensor, call: BijectorCall): TiledTensor;
}
