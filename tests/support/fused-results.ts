// What a flow gives with runs of its commands fused, and how far that is from what it gives with all of them apart.

import { type Flow, fit } from '../../src/index.js';
import { oneStep } from './one-step.js';
import { Random } from './random.js';

export const ROWS = 70;

export const step = oneStep(ROWS, 0.1);

/** Largest difference beside 1 + |want|. */
export const difference = (got: ArrayLike<number>, want: ArrayLike<number>): number =>
  Array.from(want, (value, i) => Math.abs(got[i]! - value) / (1 + Math.abs(value))).reduce((a, b) => Math.max(a, b), 0);

/** What a flow gives, and its parameters after a step of gradient descent. */
export async function resultsOf(flow: Flow): Promise<Record<string, Float32Array>> {
  const random = new Random(4);
  const [x, context] = [random.normals(ROWS * flow.dim), random.normals(ROWS * flow.contextDim)];
  const option = flow.contextDim > 0 ? { context } : {};
  const [logProb, sample] = [await flow.logProb(x, option), await flow.sample(ROWS, { seed: 1, ...option })];
  await fit(flow, x, { ...step, ...option });
  const parameters = Object.entries(await flow.parameters()).map(([name, { data }]) => [name, data as Float32Array] as const);
  return { logProb, sample, ...Object.fromEntries(parameters) };
}
