// Base distributions: draw z, and add the log-density of z to a log-det.

import { diagonalMixture } from '../../kernels/diagonal-mixture.js';
import { standardNormal } from '../../kernels/standard-normal.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import { DiagonalAffine } from '../bijectors/diagonal-affine.js';

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

/** N(0, I). */
export class StandardNormal implements Base {
  readonly contextDim = 0;

  constructor(readonly dim: number) {}

  sample(r: Recorder): TiledTensor {
    const z = r.tiled(this.dim, 'noise');
    r.run(standardNormal.sample, { buffers: { z }, params: { dim: this.dim, sign: 1 } });
    return z;
  }

  logDensity(r: Recorder, z: TiledTensor, logDet: TiledTensor, sign: 1 | -1): TiledTensor {
    const logProb = r.tiled(1, 'log-density');
    r.run(standardNormal.logDensity, { buffers: { source: z, log_det: logDet, log_prob: logProb }, params: { dim: this.dim, sign } });
    return logProb;
  }
}

/** N(loc, diag(exp(2 logScale))): the standard normal behind an affine map. */
export class DiagonalNormal implements Base {
  readonly dim: number;
  readonly contextDim = 0;
  readonly #standard: StandardNormal;
  readonly #whiten: DiagonalAffine;

  constructor(loc: ArrayLike<number>, logScale: ArrayLike<number>) {
    this.dim = loc.length;
    this.#standard = new StandardNormal(this.dim);
    this.#whiten = new DiagonalAffine('base', {
      center: loc,
      logScale: Float64Array.from(logScale, (value) => -value),
      shift: new Float64Array(this.dim),
    });
  }

  sample(r: Recorder): TiledTensor {
    return this.#whiten.inverse(r, this.#standard.sample(r), { logDet: null, context: null });
  }

  logDensity(r: Recorder, z: TiledTensor, logDet: TiledTensor, sign: 1 | -1): TiledTensor {
    // The whitening's own log-det is a density term, so it adds whatever the sign of the flow's log-det.
    const whitened = this.#whiten.forward(r, z, { logDet: null, context: null });
    const logProb = this.#standard.logDensity(r, whitened, logDet, sign);
    this.#whiten.recordLogDet(r, logProb);
    return logProb;
  }
}

/** Σ weight_k N(mean_k, diag(exp(2 logScale_k))). */
export class DiagonalMixture implements Base {
  readonly dim: number;
  readonly contextDim = 0;
  readonly #components: number;
  readonly #sampleTable: Float32Array<ArrayBuffer>;
  readonly #densityTable: Float32Array<ArrayBuffer>;
  readonly #thresholds: Uint32Array<ArrayBuffer>;
  readonly #standard: StandardNormal;

  /** @param logits [K], any scale. @param means, logScales [K, D], row-major. */
  constructor(logits: ArrayLike<number>, means: ArrayLike<number>, logScales: ArrayLike<number>) {
    const components = logits.length;
    const dim = means.length / components;
    const top = Math.max(...Array.from(logits));
    const logTotal = top + Math.log(Array.from(logits, (value) => Math.exp(value - top)).reduce((a, b) => a + b, 0));
    const logWeights = Array.from(logits, (value) => value - logTotal);
    const constants = logWeights.map((logWeight, k) => {
      let sum = logWeight - (dim / 2) * Math.log(2 * Math.PI);
      for (let f = 0; f < dim; f++) sum -= logScales[k * dim + f]!;
      return sum;
    });
    let cumulated = 0;
    this.#thresholds = Uint32Array.from(logWeights, (logWeight) => {
      cumulated += Math.exp(logWeight);
      return Math.min(2 ** 32 - 1, Math.round(cumulated * 2 ** 32));
    });
    this.dim = dim;
    this.#components = components;
    this.#sampleTable = Float32Array.from([...constants, ...Array.from(means), ...Array.from(logScales, (value) => Math.exp(value))]);
    this.#densityTable = Float32Array.from([...constants, ...Array.from(means), ...Array.from(logScales, (value) => Math.exp(-value))]);
    this.#standard = new StandardNormal(dim);
  }

  sample(r: Recorder): TiledTensor {
    const source = this.#standard.sample(r);
    const z = r.tiled(this.dim, 'draw');
    r.run(diagonalMixture.sample, {
      buffers: { source, table: r.constant(this.#sampleTable, 'mixture'), thresholds: r.constant(this.#thresholds, 'weights'), z },
      params: { dim: this.dim, components: this.#components, sign: 1 },
    });
    return z;
  }

  logDensity(r: Recorder, z: TiledTensor, logDet: TiledTensor, sign: 1 | -1): TiledTensor {
    const logProb = r.tiled(1, 'log-density');
    r.run(diagonalMixture.logDensity, {
      buffers: { source: z, table: r.constant(this.#densityTable, 'mixture'), log_det: logDet, log_prob: logProb },
      params: { dim: this.dim, components: this.#components, sign },
    });
    return logProb;
  }
}
