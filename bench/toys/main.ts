// Trains flows on the toy densities, one after another; scripts/toys.mjs drives it and prints the rows.

import { drawToy, toys } from '../../examples/data/toys.js';
import { type Flow, fit, Gpu, maf, neuralSpline, realNVP } from '../../src/index.js';

export interface Recipe {
  readonly steps: number;
  readonly batch: number;
  readonly learningRate: number;
  /** Decay of the moving average of the parameters. */
  readonly average: number;
}

export interface ToyRow {
  readonly toy: string;
  readonly entropy: number;
  readonly margin: number;
  /** Mean −log p of points that training never saw, nats. */
  readonly loss: number;
  readonly seconds: number;
}

/** Settings for all densities; those of the spline, and the rate, were chosen by the validation points of rings and checkerboard. */
const common = { dim: 2, hidden: [64, 64], seed: 1 };
const spline = { ...common, layers: 6, bins: 32, bound: 5 };
const affine = { ...common, layers: 8 };
// The scales of a MAF have no bound of their own: one point that lies far off then makes the loss infinite, in one of a dozen runs. These are RealNVP's.
const autoregressive = { ...affine, scale: { form: 'tanh', bound: 2 } } as const;
const recipe: Recipe = { steps: 2000, batch: 256, learningRate: 5e-3, average: 0.99 };

const flows: Record<string, { readonly settings: object; readonly recipe: Recipe; readonly make: (gpu: Gpu) => Promise<Flow> }> = {
  'neural spline': { settings: spline, recipe, make: (gpu) => neuralSpline(gpu, spline) },
  MAF: { settings: autoregressive, recipe: { ...recipe, steps: 500, learningRate: 3e-3 }, make: (gpu) => maf(gpu, autoregressive) },
  RealNVP: { settings: affine, recipe: { ...recipe, steps: 500, learningRate: 3e-3 }, make: (gpu) => realNVP(gpu, affine) },
};

const TRAINING = 50_000;
const VALIDATION = 5000;
const HELD_OUT = 20_000;

/** @param changes of the recipe. */
async function trainToy(name: string, flowName: string, changes: Partial<Recipe>): Promise<ToyRow> {
  const gpu = await Gpu.request();
  const toy = toys.find((entry) => entry.name === name)!;
  const { make, recipe } = flows[flowName]!;
  const options = { ...recipe, ...changes };
  const flow = await make(gpu);
  const began = performance.now();
  await fit(flow, drawToy(toy, TRAINING, 1), {
    ...options,
    validation: drawToy(toy, VALIDATION, 2),
    warmup: Math.round(options.steps / 50),
    onProgress: ({ step, loss, secondsLeft }) => {
      document.title = `${name} ${flowName}: step ${step}, ${loss.toFixed(3)}, ${secondsLeft.toFixed(0)} s left`;
    },
  });
  const seconds = (performance.now() - began) / 1000;
  const logProb = await flow.logProb(drawToy(toy, HELD_OUT, 3));
  const loss = -logProb.reduce((sum, value) => sum + value, 0) / HELD_OUT;
  gpu.dispose();
  return { toy: name, entropy: toy.entropy, margin: toy.margin, loss, seconds };
}

declare global {
  interface Window {
    toyNames: readonly string[];
    /** By the names of the flows. */
    toyRecipes: Readonly<Record<string, { readonly settings: object; readonly recipe: Recipe }>>;
    trainToy: typeof trainToy;
  }
}

window.toyNames = toys.map(({ name }) => name);
window.toyRecipes = Object.fromEntries(Object.entries(flows).map(([name, { settings, recipe }]) => [name, { settings, recipe }]));
window.trainToy = trainToy;
