// Trains flows on the toy densities, one after another; scripts/toys.mjs drives it and prints the rows.

import { drawToy, toys } from '../../examples/data/toys.js';
import { type Flow, fit, Gpu, maf, neuralSpline, realNVP } from '../../src/index.js';

export interface Recipe {
  readonly flow: string;
  readonly steps: number;
  readonly batch: number;
  readonly learningRate: number;
}

export interface ToyRow extends Recipe {
  readonly toy: string;
  readonly entropy: number;
  readonly margin: number;
  /** Mean −log p of points that training never saw, nats. */
  readonly loss: number;
  readonly seconds: number;
}

const makers: Record<string, (gpu: Gpu) => Promise<Flow>> = {
  'neural spline': (gpu) => neuralSpline(gpu, { dim: 2, layers: 6, hidden: [64, 64], bins: 16, bound: 5, seed: 1 }),
  MAF: (gpu) => maf(gpu, { dim: 2, layers: 8, hidden: [64, 64], seed: 1 }),
  RealNVP: (gpu) => realNVP(gpu, { dim: 2, layers: 8, hidden: [64, 64], seed: 1 }),
};

const TRAINING = 50_000;
const HELD_OUT = 20_000;

async function trainToy(name: string, recipe: Recipe): Promise<ToyRow> {
  const gpu = await Gpu.request();
  const toy = toys.find((entry) => entry.name === name)!;
  const flow = await makers[recipe.flow]!(gpu);
  const began = performance.now();
  await fit(flow, drawToy(toy, TRAINING, 1), {
    ...recipe,
    validation: drawToy(toy, 5000, 2),
    warmup: Math.round(recipe.steps / 50),
    onProgress: ({ step, loss, secondsLeft }) => {
      document.title = `${name} ${recipe.flow}: step ${step}, ${loss.toFixed(3)}, ${secondsLeft.toFixed(0)} s left`;
    },
  });
  const seconds = (performance.now() - began) / 1000;
  const logProb = await flow.logProb(drawToy(toy, HELD_OUT, 3));
  const loss = -logProb.reduce((sum, value) => sum + value, 0) / HELD_OUT;
  gpu.dispose();
  return { toy: name, entropy: toy.entropy, margin: toy.margin, loss, seconds, ...recipe };
}

declare global {
  interface Window {
    toyNames: readonly string[];
    flowNames: readonly string[];
    trainToy: typeof trainToy;
  }
}

window.toyNames = toys.map(({ name }) => name);
window.flowNames = Object.keys(makers);
window.trainToy = trainToy;
