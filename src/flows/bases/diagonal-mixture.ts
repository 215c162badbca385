import { diagonalMixture } from '../../kernels/diagonal-mixture.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { Origin, TiledTensor } from '../../runtime/tensor.js';
import type { Base } from './base.js';
import { StandardNormal } from './standard-normal.js';

/** Σ weight_k N(mean_k, diag(exp(2 logScale_k))). */
export class DiagonalMixture implements Base {
  readonly dim: number;
  readonly contextDim = 0;
  readonly #components: number;
  readonly #sampleTable: Float32Array<ArrayBuffer>;
  readonly #densityTable: Float32Array<ArrayBuffer>;
  readonly #thresholds: Uint32Array<ArrayBuffer>;
  readonly #origin: Origin;
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
    const [given, centers, scales] = [logits, means, logScales].map((values) => Float32Array.from(values));
    this.#origin = { kind: 'mixture', inputs: { logits: given!, means: centers!, log_scales: scales! }, settings: {} };
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
      buffers: {
        source: z,
        table: r.constant(this.#densityTable, 'mixture', { of: this.#origin, table: 'table' }),
        log_det: logDet,
        log_prob: logProb,
      },
      params: { dim: this.dim, components: this.#components, sign },
    });
    return logProb;
  }
}
