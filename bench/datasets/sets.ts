// The data sets, and the flows that are trained on each. Where the data come from: bench/data/README.md.

import { parseNpy } from '../../src/cli/npy.js';
import { type FitOptions, type Flow, type Gpu, imageRealNVP, mademog, maf, neuralSpline, realNVP } from '../../src/index.js';
import { type Space, shuffledRows } from './integers.js';

export interface Split {
  /** Rows of integers, [n, D]; the last tenth of them chooses the parameters. */
  readonly train: Float32Array;
  readonly test: Float32Array;
}

export interface Model {
  readonly make: (gpu: Gpu) => Promise<Flow>;
  readonly fit: FitOptions & { readonly steps: number; readonly batch: number; readonly learningRate: number };
  /** A run of another library over the same space: its training loss in nats of the standardised y. */
  readonly beside?: { readonly name: string; readonly loss: number };
}

export interface DataSet extends Space {
  readonly load: () => Promise<Split>;
  readonly models: Readonly<Record<string, Model>>;
}

async function read(name: string): Promise<ArrayLike<number>> {
  const response = await fetch(new URL(`../data/${name}.npy`, import.meta.url));
  if (!response.ok) throw new Error(`bench/data/${name}.npy: ${response.status} ${response.statusText}`);
  return parseNpy(await response.arrayBuffer()).values;
}

const divide = (x: Float32Array, test: number): Split => ({ train: x.slice(0, x.length - test), test: x.slice(x.length - test) });

const held = { validation: 0.1, average: 0.98, warmup: 30 } as const;

export const dataSets: Readonly<Record<string, DataSet>> = {
  digits: {
    dim: 64,
    levels: 17,
    alpha: 0.05,
    load: async () => divide(shuffledRows(await read('digits'), 64, 1), 360 * 64),
    models: {
      'MAF as nflows': {
        make: (gpu) => maf(gpu, { dim: 64, layers: 5, hidden: [96, 96, 96], scale: { form: 'softplus', eps: 1e-3 }, seed: 1 }),
        fit: { steps: 300, batch: 128, learningRate: 1e-3, schedule: 'constant' },
        beside: { name: 'nflows 0.14', loss: 77.25 },
      },
      MAF: {
        make: (gpu) => maf(gpu, { dim: 64, layers: 5, hidden: [96, 96], seed: 1 }),
        fit: { steps: 300, batch: 128, learningRate: 3e-3, weightDecay: 0.5, ...held },
      },
      RealNVP: {
        make: (gpu) => realNVP(gpu, { dim: 64, layers: 6, hidden: [64, 64], masking: 'checkerboard', shape: [1, 8, 8], seed: 1 }),
        fit: { steps: 400, batch: 64, learningRate: 3e-3, weightDecay: 0.5, ...held },
      },
      'neural spline': {
        make: (gpu) => neuralSpline(gpu, { dim: 64, layers: 4, hidden: [64, 64], bins: 8, seed: 1 }),
        fit: { steps: 400, batch: 64, learningRate: 3e-3, weightDecay: 0.5, ...held },
      },
    },
  },
  flights: {
    dim: 3,
    // Delays begin at −86 minutes, distances end at 4962 miles.
    levels: 5000,
    load: async () => {
      const x = shuffledRows(await read('flights'), 3, 1);
      for (let at = 0; at < x.length; at += 3) x[at]! += 100;
      return divide(x, 20_000 * 3);
    },
    models: {
      MAF: {
        make: (gpu) => maf(gpu, { dim: 3, layers: 5, hidden: [64, 64], seed: 1 }),
        fit: { steps: 500, batch: 512, learningRate: 3e-3, ...held },
      },
      'MADE, mixtures': {
        make: (gpu) => mademog(gpu, { dim: 3, components: 20, hidden: [64, 64], eps: 1e-3, seed: 1 }),
        fit: { steps: 500, batch: 512, learningRate: 5e-3, ...held },
      },
      'neural spline': {
        make: (gpu) => neuralSpline(gpu, { dim: 3, layers: 4, hidden: [64, 64], bins: 16, seed: 1 }),
        fit: { steps: 500, batch: 512, learningRate: 3e-3, ...held },
      },
    },
  },
  fashion: {
    dim: 196,
    levels: 256,
    // 42% of the pixels are black: the wider the logit spreads their cells, the better every model does, the Gaussian first of all.
    alpha: 1e-6,
    load: async () => divide(Float32Array.from(await read('fashion-14')), 1000 * 196),
    models: {
      RealNVP: {
        make: (gpu) => realNVP(gpu, { dim: 196, layers: 8, hidden: [128, 128], masking: 'checkerboard', shape: [1, 14, 14], seed: 1 }),
        fit: { steps: 500, batch: 64, learningRate: 3e-3, ...held },
      },
      'image RealNVP': {
        make: (gpu) => imageRealNVP(gpu, { shape: [1, 14, 14], levels: 2, hidden: [24, 24], seed: 1 }),
        fit: { steps: 120, batch: 32, learningRate: 3e-3, ...held },
      },
    },
  },
};
