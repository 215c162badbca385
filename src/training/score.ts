// The score of a flow: the gradient of its log-density by the data.

import { checkRows } from '../flows/checks.js';
import { type ContextOption, type Flow, ownFlow } from '../flows/flow.js';

/**
 * log p(x) [n] in nats and its gradient by x, [n, D] row-major, by reverse mode on the GPU.
 *
 * ```ts
 * const { score } = await scoreOf(flow, x); // a Langevin step: x + ε score + √(2ε) noise
 * ```
 *
 * Hyvärinen 2005, JMLR 6:695 (the score). @throws ShapeError, ValueError as `flow.logProb` does; UnsupportedError where a kernel
 * of the density has no derivative rule.
 */
export async function scoreOf(
  flow: Flow,
  x: Float32Array,
  options: ContextOption = {},
): Promise<{ logProb: Float32Array; score: Float32Array }> {
  const own = ownFlow('scoreOf: flow', flow);
  const rows = checkRows('scoreOf: x', x, flow.dim);
  const outputs = { logProb: new Float32Array(rows), score: new Float32Array(rows * flow.dim) };
  const { recordScore } = await import('./reverse.js');
  await own.runOnce('scoreOf', recordScore(own), { x, ...options }, outputs);
  return outputs;
}
