// Trains flows on the data sets, one after another; scripts/datasets.mjs drives it and prints the rows.

import { dequantize, fit, Gpu, standardised } from '../../src/index.js';
import { type GaussianScore, scoreGaussian } from './gaussian.js';
import { dataSets, type Split } from './sets.js';

export interface DataRow {
  readonly parameters: number;
  readonly steps: number;
  readonly batch: number;
  readonly learningRate: number;
  /** Mean over the test rows of the bound of log P(k), nats. */
  readonly test: number;
  readonly gaussian: number;
  readonly dim: number;
  readonly toStandardised: GaussianScore['toStandardised'];
  /** Loss of the last tenth of the minibatches, or the best of the held-out rows, nats of −log P(k). */
  readonly loss: number;
  readonly beside: { readonly name: string; readonly loss: number } | null;
  readonly seconds: number;
}

const loaded = new Map<string, Promise<Split & GaussianScore>>();

/** Rows and the Gaussian's score, once. */
function prepare(name: string) {
  const set = dataSets[name]!;
  const ready =
    loaded.get(name) ?? set.load().then((split) => ({ ...split, ...scoreGaussian(split.train, split.test, set, set.dim > 3 ? 4 : 1) }));
  loaded.set(name, ready);
  return ready;
}

/** Draws of the noise for each test row. */
const DRAWS = 4;

async function trainOn(name: string, model: string, steps: number | null): Promise<DataRow> {
  const { dim, levels, alpha, models } = dataSets[name]!;
  const { make, fit: options, beside = null } = models[model]!;
  const { train, test, logLikelihood: gaussian, toStandardised } = await prepare(name);
  const gpu = await Gpu.request();
  const flow = standardised(await make(gpu), train, { levels, ...(alpha !== undefined && { alpha }) });
  const parameters = Object.values(await flow.parameters()).reduce((sum, { data }) => sum + data.length, 0);
  const began = performance.now();
  const training = { ...options, ...(steps && { steps }) };
  const { loss } = await fit(flow, train, {
    ...training,
    levels,
    onProgress: ({ step, loss: now, validationLoss = Number.NaN, secondsLeft, gradientNorm }) => {
      document.title = `${name}, ${model}: step ${step}, ${now.toFixed(2)}, held out ${validationLoss.toFixed(2)}, ${gradientNorm.toFixed(1)}, ${secondsLeft.toFixed(0)} s left`;
    },
  });
  const seconds = (performance.now() - began) / 1000;
  const integers = dequantize({ flow, levels });
  let sum = 0;
  for (let seed = 0; seed < DRAWS; seed++) for (const bound of await integers.logProb(test, { seed })) sum += bound;
  gpu.dispose();
  const { batch, learningRate } = training;
  const score = sum / (DRAWS * (test.length / dim));
  return { parameters, steps: training.steps, batch, learningRate, test: score, gaussian, dim, toStandardised, loss, beside, seconds };
}

declare global {
  interface Window {
    dataModels: Readonly<Record<string, readonly string[]>>;
    trainOn: typeof trainOn;
  }
}

window.dataModels = Object.fromEntries(Object.entries(dataSets).map(([name, { models }]) => [name, Object.keys(models)]));
window.trainOn = trainOn;
