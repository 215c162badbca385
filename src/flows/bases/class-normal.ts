import { classAffine } from '../../kernels/class-affine.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import type { Base } from './base.js';
import { StandardNormal } from './standard-normal.js';

/**
 * N(loc_k, diag(exp(2 logScale_k))) for the class k of the row, a context feature that holds 0 … K − 1. Any other value there, a fraction
 * or NaN, makes the row's draw and density NaN. Kingma and Dhariwal 2018, arXiv:1807.03039.
 */
export class ClassNormal implements Base {
  readonly dim: number;
  readonly contextDim: number;
  readonly #classes: number;
  readonly #label: number;
  readonly #standard: StandardNormal;
  readonly #sampleTable: Float32Array<ArrayBuffer>;
  readonly #densityTable: Float32Array<ArrayBuffer>;

  /** @param loc, logScale [K, D], row-major. @param label context feature that holds the class. */
  constructor(classes: number, loc: ArrayLike<number>, logScale: ArrayLike<number>, label: number) {
    const dim = loc.length / classes;
    const terms = new Float64Array(classes);
    for (let k = 0; k < classes; k++) for (let f = 0; f < dim; f++) terms[k]! -= logScale[k * dim + f]!;
    const tableOf = (sign: 1 | -1) => {
      const table = new Float32Array(classes * (1 + 2 * dim));
      table.set(terms);
      table.set(loc, classes);
      table.set(
        Float64Array.from(logScale, (value) => Math.exp(sign * value)),
        classes * (1 + dim),
      );
      return table;
    };
    this.dim = dim;
    this.contextDim = label + 1;
    this.#classes = classes;
    this.#label = label;
    this.#standard = new StandardNormal(dim);
    this.#sampleTable = tableOf(1);
    this.#densityTable = tableOf(-1);
  }

  sample(r: Recorder, context: TiledTensor | null): TiledTensor {
    return this.#move(r, this.#standard.sample(r), context!, false);
  }

  logDensity(r: Recorder, z: TiledTensor, logDet: TiledTensor, sign: 1 | -1, context: TiledTensor | null): TiledTensor {
    const logProb = this.#standard.logDensity(r, this.#move(r, z, context!, true), logDet, sign);
    r.run(classAffine.term, {
      buffers: { labels: context!, table: r.constant(this.#densityTable, 'classes'), total: logProb },
      params: this.#params(context!),
    });
    return logProb;
  }

  #params(context: TiledTensor) {
    return { features: this.dim, classes: this.#classes, label_features: context.features, label_at: this.#label };
  }

  #move(r: Recorder, x: TiledTensor, context: TiledTensor, whiten: boolean): TiledTensor {
    const y = r.tiled(this.dim, whiten ? 'whitened' : 'draw');
    const table = r.constant(whiten ? this.#densityTable : this.#sampleTable, 'classes');
    r.run(classAffine.affine, {
      buffers: { x, labels: context, table, y },
      params: this.#params(context),
      constants: { WHITEN: whiten },
    });
    return y;
  }
}
