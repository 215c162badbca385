// What a flow has to beat: a normal with a full covariance, fitted to the same rows in the same space, in float64.

import { dequantised, type Points, type Space } from './integers.js';

export class Gaussian {
  readonly #mean: Float64Array;
  /** Lower triangle L of the covariance L Lᵀ, row-major [D, D]. */
  readonly #factor: Float64Array;
  /** Standard deviation of each feature. */
  readonly deviation: Float64Array;

  /** Maximum likelihood. @param y [rows, D]; more rows than features, of which none is a combination of others. */
  constructor(
    y: Float64Array,
    readonly dim: number,
  ) {
    const rows = y.length / dim;
    const mean = new Float64Array(dim);
    for (const [at, value] of y.entries()) mean[at % dim]! += value / rows;
    const covariance = new Float64Array(dim * dim);
    const row = new Float64Array(dim);
    for (let from = 0; from < y.length; from += dim) {
      for (let f = 0; f < dim; f++) row[f] = y[from + f]! - mean[f]!;
      for (let i = 0; i < dim; i++) for (let j = 0; j <= i; j++) covariance[i * dim + j]! += (row[i]! * row[j]!) / rows;
    }
    this.#mean = mean;
    this.deviation = Float64Array.from({ length: dim }, (_, i) => Math.sqrt(covariance[i * dim + i]!));
    const l = covariance;
    for (let i = 0; i < dim; i++)
      for (let j = 0; j <= i; j++) {
        let sum = l[i * dim + j]!;
        for (let k = 0; k < j; k++) sum -= l[i * dim + k]! * l[j * dim + k]!;
        if (i === j && !(sum > 0)) throw new Error(`feature ${i} is a combination of those before it`);
        l[i * dim + j] = i === j ? Math.sqrt(sum) : sum / l[j * dim + j]!;
      }
    this.#factor = l;
  }

  /** log density [rows] of y [rows, D], nats. */
  logDensity(y: Float64Array): Float64Array {
    const dim = this.dim;
    const l = this.#factor;
    let constant = -0.5 * dim * Math.log(2 * Math.PI);
    for (let i = 0; i < dim; i++) constant -= Math.log(l[i * dim + i]!);
    const z = new Float64Array(dim);
    return Float64Array.from({ length: y.length / dim }, (_, row) => {
      let squares = 0;
      for (let i = 0; i < dim; i++) {
        let value = y[row * dim + i]! - this.#mean[i]!;
        for (let k = 0; k < i; k++) value -= l[i * dim + k]! * z[k]!;
        z[i] = value / l[i * dim + i]!;
        squares += z[i]! ** 2;
      }
      return constant - 0.5 * squares;
    });
  }
}

export interface GaussianScore {
  /** Mean over the test rows of the bound of log P(k), nats. */
  readonly logLikelihood: number;
  /** What is added to a mean log P(k) of training and of test rows to make it a log density of the standardised y. */
  readonly toStandardised: { readonly train: number; readonly test: number };
}

/** Fits to `draws` draws of the noise for each training row, and scores as many for each test row. */
export function scoreGaussian(train: Float32Array, test: Float32Array, space: Space, draws = 4): GaussianScore {
  const { dim } = space;
  const drawsOf = (k: Float32Array, seed: number): Points => {
    const y = new Float64Array(draws * k.length);
    const logDet = new Float64Array((draws * k.length) / dim);
    for (let draw = 0; draw < draws; draw++) {
      const points = dequantised(k, space, seed + draw);
      y.set(points.y, draw * k.length);
      logDet.set(points.logDet, (draw * k.length) / dim);
    }
    return { y, logDet };
  };
  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [fitted, scored] = [drawsOf(train, 100), drawsOf(test, 200)];
  const gaussian = new Gaussian(fitted.y, dim);
  const logScales = gaussian.deviation.reduce((sum, value) => sum + Math.log(value), 0);
  return {
    logLikelihood: mean(gaussian.logDensity(scored.y)) + mean(scored.logDet),
    toStandardised: { train: logScales - mean(fitted.logDet), test: logScales - mean(scored.logDet) },
  };
}
