// Trains a flow on a data set and measures it on the test rows.

import { dequantize, type FitProgress, fit, type Gpu, standardised } from '../../src/index.js';
import type { Space } from './integers.js';
import type { Model, Split } from './sets.js';

export interface FlowScore {
  readonly parameters: number;
  /** Mean over the test rows of the bound of log P(k), nats. */
  readonly test: number;
  /** Of the last tenth of the minibatches, or the best of the held-out rows: nats of −log P(k). */
  readonly loss: number;
  /** Of training. */
  readonly seconds: number;
}

/** Draws of the noise for each test row. */
const DRAWS = 4;

export async function scoreFlow(
  gpu: Gpu,
  { dim, levels, alpha }: Space,
  { train, test }: Split,
  { make, fit: options }: Pick<Model, 'make' | 'fit'>,
  onProgress: (progress: FitProgress) => void = () => {},
): Promise<FlowScore> {
  const flow = standardised(await make(gpu), train, { levels, ...(alpha !== undefined && { alpha }) });
  const parameters = Object.values(await flow.parameters()).reduce((sum, { data }) => sum + data.length, 0);
  const began = performance.now();
  const { loss } = await fit(flow, train, { ...options, levels, onProgress });
  const seconds = (performance.now() - began) / 1000;
  const integers = dequantize({ flow, levels });
  let sum = 0;
  for (let seed = 0; seed < DRAWS; seed++) for (const bound of await integers.logProb(test, { seed })) sum += bound;
  integers.dispose();
  return { parameters, test: (sum * dim) / (DRAWS * test.length), loss, seconds };
}
