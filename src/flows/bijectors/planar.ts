import { planar } from '../../kernels/planar.js';
import type { Bijector } from '../bijector.js';
import { softplus } from '../scalar.js';
import { type ParameterSource, RowLayer, splat, twoParts } from './row-parameters.js';

/** What the kernel reads for parameters that all rows share: b, u, w, and the constants of û in float64, in two parts each. */
export function packPlanar(u: ArrayLike<number>, w: ArrayLike<number>, b: number): Float32Array<ArrayBuffer> {
  let [dot, square] = [0, 0];
  for (let f = 0; f < w.length; f++) {
    dot += w[f]! * u[f]!;
    square += w[f]! * w[f]!;
  }
  const s = square === 0 ? 1 : softplus(dot); // w = 0: a shift by u h(b)
  const c = s - 1;
  const k = square === 0 ? 0 : (c - dot) / square;
  return splat([b, ...Array.from(u), ...Array.from(w), ...twoParts(k), ...twoParts(c), ...twoParts(s)]);
}

/** h of a planar flow. `slope` is that of the leaky ReLU below 0, in [0, 1]. */
export type PlanarActivation = { readonly kind: 'tanh' } | { readonly kind: 'leaky_relu'; readonly slope: number };

/**
 * x = z + û h(w·z + b): inverse (z → x) is a formula; forward (x → z) solves one scalar equation a row.
 * Rezende and Mohamed 2015, arXiv:1505.05770; shaders/planar.wgsl.
 *
 * @param source a table of `packPlanar`, or a network whose outputs are b, u [D], w [D].
 */
export const planarLayer = (dim: number, source: ParameterSource, activation: PlanarActivation): Bijector =>
  new RowLayer('planar', dim, source, (r, x, { buffers, params, constants, result }) => {
    const y = r.tiled(dim, result);
    r.run(planar, {
      buffers: { x, y, ...buffers },
      params: { features: dim, ...params, negative_slope: activation.kind === 'tanh' ? 0 : activation.slope },
      constants: { ...constants, LEAKY: activation.kind === 'leaky_relu' },
    });
    return y;
  });
