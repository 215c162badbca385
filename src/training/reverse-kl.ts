// Reverse Kullback–Leibler divergence: a flow moves to a density that is known up to a factor, from no data.
//
//   KL(q ‖ p) − log Z = E over z ~ base of  log q(x) − log p̃(x),   x = f⁻¹(z),   log q(x) = log base(z) − log|det dx/dz|
//
// The gradient is that of the sample's path (Kingma & Welling 2014, arXiv:1312.6114): z is noise, and x moves with the parameters. The terms are
// also the weights of importance sampling: log Z ≈ log mean e^−term (Müller et al. 2019, arXiv:1808.03856).

import { startLogDet } from '../flows/task.js';
import { addProduct } from '../kernels/rules/accumulate.js';
import { targetKernel } from '../kernels/target.js';
import type { FlowLayers } from './model.js';
import type { Objective, RecordTerms } from './objective.js';

/** @param dim D. @param wgsl of `log_density` and `log_density_gradient`. */
export function reverseKl(dim: number, wgsl: string): Objective<FlowLayers> {
  const target = targetKernel(dim, wgsl);
  const terms: RecordTerms<FlowLayers> = (r, { bijector, base }) => {
    const z = r.scope('base', () => base.sample(r, null));
    const logDet = startLogDet(r);
    const x = bijector.inverse(r, z, { logDet, context: null });
    const logQ = r.scope('base', () => base.logDensity(r, z, logDet, -1, null));
    const [value, slope] = [r.tiled(1, 'log p'), r.tiled(dim, 'slope')];
    r.run(target, { buffers: { x, value, slope }, params: {} });
    const term = r.tiled(1, 'term');
    addProduct(r, { tensor: term, add: false }, logQ, null);
    addProduct(r, { tensor: term, add: true }, value, null, -1);
    return term;
  };
  return { name: 'fitTarget', terms, sign: 1, shift: 0, period: null, data: {}, heldOut: null };
}
