import type { Gpu } from '../../runtime/gpu.js';
import { runAdaptively } from '../continuous/load-adaptive.js';
import type { Flow } from '../flow.js';
import { type FfjordOptions, freshFfjord } from './continuous.js';

/**
 * A fresh continuous flow: dx/dt = f(t, x) from data at t = 0 to noise at t = 1, with the log-det ∫ div f dt. Both directions cost the
 * same. Grathwohl et al. 2019, arXiv:1810.01367.
 *
 * ```ts
 * const flow = await ffjord(gpu, { dim: 2, hidden: [64, 64], seed: 1 });
 * const x = await flow.sample(1000, { seed: 7 }); // [1000, 2]
 * const logProb = await flow.logProb(x); // [1000], nats
 * const precise = await ffjord(gpu, { dim: 2, solver: { method: 'dopri5-adaptive', rtol: 1e-5, atol: 1e-5 } });
 * ```
 *
 * With an estimated divergence, log-dets and densities are random: unbiased, and the same for the same `seed` of the call (default 0 where
 * data is scored).
 *
 * @throws ValueError for an option out of range.
 */
export const ffjord = (gpu: Gpu, options: FfjordOptions): Promise<Flow> => freshFfjord(gpu, options, runAdaptively);
