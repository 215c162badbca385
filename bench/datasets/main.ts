// Trains flows on the data sets, one after another; scripts/datasets.mjs drives it and prints the rows.

import { Gpu } from '../../src/index.js';
import { type GaussianScore, scoreGaussian } from './gaussian.js';
import { type FlowScore, scoreFlow } from './score.js';
import { dataSets, type Split } from './sets.js';

export interface DataRow extends FlowScore {
  readonly dim: number;
  readonly steps: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly gaussian: GaussianScore;
  readonly beside: { readonly name: string; readonly loss: number } | null;
}

interface Prepared extends Split {
  readonly gaussian: GaussianScore;
}

const prepared = new Map<string, Promise<Prepared>>();

/** Rows and the Gaussian's score, once. */
function prepare(name: string): Promise<Prepared> {
  const set = dataSets[name]!;
  const load = async () => {
    const split = await set.load();
    // Many rows need one draw of the noise each.
    return { ...split, gaussian: scoreGaussian(split.train, split.test, set, split.train.length > 100_000 * set.dim ? 1 : 4) };
  };
  const ready = prepared.get(name) ?? load();
  prepared.set(name, ready);
  return ready;
}

async function trainOn(name: string, model: string, steps: number | null): Promise<DataRow> {
  const set = dataSets[name]!;
  const { make, fit, beside = null } = set.models[model]!;
  const { gaussian, ...split } = await prepare(name);
  const gpu = await Gpu.request();
  const options = { ...fit, ...(steps && { steps }) };
  const score = await scoreFlow(gpu, set, split, { make, fit: options }, ({ step, loss, validationLoss = Number.NaN, secondsLeft }) => {
    document.title = `${name}, ${model}: step ${step}, ${loss.toFixed(2)}, held out ${validationLoss.toFixed(2)}, ${secondsLeft.toFixed(0)} s left`;
  });
  gpu.dispose();
  const { batch, learningRate } = options;
  return { ...score, dim: set.dim, steps: options.steps, batch, learningRate, gaussian, beside };
}

declare global {
  interface Window {
    dataModels: Readonly<Record<string, readonly string[]>>;
    trainOn: typeof trainOn;
  }
}

window.dataModels = Object.fromEntries(Object.entries(dataSets).map(([name, { models }]) => [name, Object.keys(models)]));
window.trainOn = trainOn;
