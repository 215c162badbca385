import { radial } from '../../kernels/radial.js';
import type { Bijector } from '../bijector.js';
import { softplus } from '../scalar.js';
import { type ParameterSource, RowLayer, splat, twoParts } from './row-parameters.js';

/** What the kernel reads for parameters that all rows share. @param alpha positive. @param beta before its softplus. */
export function packRadial(center: ArrayLike<number>, alpha: number, beta: number): Float32Array<ArrayBuffer> {
  const rounded = Math.fround(alpha);
  const s = softplus(beta);
  return splat([...Array.from(center), rounded, ...twoParts(s), ...twoParts(s - rounded)]);
}

/**
 * x = z + β̂ / (α + |z − z0|) (z − z0), closed in both directions. Rezende and Mohamed 2015, arXiv:1505.05770; shaders/radial.wgsl.
 *
 * @param source a table of `packRadial`, or a network whose outputs are z0 [D], alpha, beta.
 * @param alphaSoftplus for parameters as a network gives them: α = softplus(alpha) instead of |alpha|.
 */
export const radialLayer = (dim: number, source: ParameterSource, alphaSoftplus = false): Bijector =>
  new RowLayer('radial', dim, source, (r, x, { buffers, params, constants, result }) => {
    const y = r.tiled(dim, result);
    r.run(radial, {
      buffers: { x, y, ...buffers },
      params: { features: dim, ...params },
      constants: { ...constants, ALPHA_SOFTPLUS: alphaSoftplus },
    });
    return y;
  });
