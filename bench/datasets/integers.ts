// Integer data as the trained flows see them: (k + u) / levels with u uniform in (0, 1), behind a logit where there is one. In float64.

import { uniformGenerator } from '../../src/flows/recipes/initial.js';

export interface Space {
  readonly dim: number;
  /** Data are integers 0 … levels − 1. */
  readonly levels: number;
  /** Margin of the logit; none where there is none. */
  readonly alpha?: number;
}

export interface Points {
  /** [rows, D]. */
  readonly y: Float64Array;
  /** log|dy/dk| [rows]: a density of y times its exponential is one of k + u, whose integral over a cell is a probability. */
  readonly logDet: Float64Array;
}

/** One draw of the noise for each row of k [rows, D]. */
export function dequantised(k: Float32Array, { dim, levels, alpha }: Space, seed: number): Points {
  const uniform = uniformGenerator(seed);
  const y = new Float64Array(k.length);
  const logDet = new Float64Array(k.length / dim).fill(-dim * Math.log(levels));
  for (const [at, integer] of k.entries()) {
    const x = (integer + uniform()) / levels;
    if (alpha === undefined) {
      y[at] = x;
      continue;
    }
    const p = alpha + (1 - 2 * alpha) * x;
    y[at] = Math.log(p / (1 - p));
    logDet[Math.floor(at / dim)]! += Math.log((1 - 2 * alpha) / (p * (1 - p)));
  }
  return { y, logDet };
}

/** Rows in an order drawn by the seed. */
export function shuffledRows(values: ArrayLike<number>, dim: number, seed: number): Float32Array {
  const uniform = uniformGenerator(seed);
  const rows = values.length / dim;
  const order = Array.from({ length: rows }, (_, row) => row);
  for (let i = rows - 1; i > 0; i--) {
    const j = Math.floor(uniform() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  const x = new Float32Array(values.length);
  for (const [row, from] of order.entries()) for (let f = 0; f < dim; f++) x[row * dim + f] = values[from * dim + f]!;
  return x;
}
