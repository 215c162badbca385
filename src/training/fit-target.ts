// A flow for a density that is known up to a factor.

import { check } from '../flows/checks.js';
import { type Flow, ownFlow } from '../flows/flow.js';
import type { Target, TargetResult } from './run-target.js';
import type { TrainingOptions } from './training-options.js';

export type { Target, TargetResult } from './run-target.js';

/**
 * Trains a flow towards a density that is known up to a factor, by the reverse Kullback–Leibler divergence E log q(x) − log p̃(x) over the flow's own
 * draws: variational inference, or a sampler for a Boltzmann distribution. The density is WGSL, with its gradient, and runs on the GPU with
 * the flow; the gradient is compared once with differences. Flows whose sampling direction is one pass (coupling flows, IAF) train fast; others by
 * implicit differentiation of their solve. Draws seek modes: where p has several, a flow may keep to one.
 *
 * ```ts
 * const { logZ, efficiency } = await fitTarget(flow, { wgsl: `
 *   fn log_density(x: array<f32, D>) -> f32 { return -0.5 * (x[0] * x[0] + 4.0 * x[1] * x[1]); }
 *   fn log_density_gradient(x: array<f32, D>) -> array<f32, D> { return array<f32, D>(-x[0], -4.0 * x[1]); }
 * ` });
 * ```
 *
 * Rezende & Mohamed 2015, arXiv:1505.05770.
 *
 * @throws CompileError for WGSL that does not compile; ValueError where the gradient is not that of the density, or a density is not finite;
 *   UnsupportedError for a conditional flow; otherwise as `fit`.
 */
export async function fitTarget(flow: Flow, target: Target, options: TrainingOptions = {}): Promise<TargetResult> {
  const own = ownFlow('fitTarget: flow', flow);
  const names = ['log_density', 'log_density_gradient'];
  const wgsl = target?.wgsl;
  const missing = typeof wgsl === 'string' ? names.find((name) => !new RegExp(`\\bfn\\s+${name}\\s*\\(`).test(wgsl)) : names[0];
  check(missing === undefined, 'fitTarget: wgsl', `fn ${missing}`, typeof wgsl === 'string' ? 'a text without it' : wgsl);
  const { runTarget } = await import('./reverse.js');
  return runTarget(own, target, options);
}
