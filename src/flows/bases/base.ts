// Base distributions: draw z, and add the log-density of z to a log-det. One file each beside this one.

import type { Recorder } from '../../runtime/recorder.js';
import type { TiledTensor } from '../../runtime/tensor.js';

export interface Base {
  readonly dim: number;
  /** C: features of the context that it reads; 0 where it reads none. */
  readonly contextDim: number;
  /**
   * Records a draw, tiled [dim, rows]. It depends on the seed, the row and its context alone.
   *
   * @param context tiled [C, rows]; null for an unconditional flow.
   */
  sample(r: Recorder, context: TiledTensor | null): TiledTensor;
  /**
   * Records log density of z plus `sign` times the log-det, nats, tiled [1, rows].
   *
   * @param sign 1 with the log-det of forward (density of x), −1 with that of inverse (density of a draw).
   */
  logDensity(r: Recorder, z: TiledTensor, logDet: TiledTensor, sign: 1 | -1, context: TiledTensor | null): TiledTensor;
}
