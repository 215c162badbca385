// Flows that tests/flows/properties.test.ts checks, one line each. What a flow is expected to satisfy follows from the flow itself (its
// dim, its context, its layers), so a new one needs nothing else, unless its data is bounded or its arithmetic coarser by nature: see Traits.

import type { GpuFlow } from '../../src/flows/flow.js';
import { iaf, mademog, maf, nice, realNVP } from '../../src/index.js';
import type { Gpu } from '../../src/runtime/gpu.js';
import { couplingMixture } from '../support/coupling-mixture.js';

type Make = (gpu: Gpu) => Promise<unknown>;

/** Where a flow differs from one over all of R^D in float32 arithmetic. */
export interface Traits {
  /** Interval that every feature of x lies in. Default: the whole line. */
  readonly support?: readonly [low: number, high: number];
  /** Interval that every feature of z lies in (a uniform base). Default: the whole line. */
  readonly latentSupport?: readonly [low: number, high: number];
  /** Largest error beside float64, relative to 1 + |value|. Default 5e-6. Say why on the line above. */
  readonly tolerance?: number;
  /** Largest error of a round trip in float64. Default 1e-9; an iterated inverse converges to less. Say why on the line above. */
  readonly exactTolerance?: number;
}

// biome-ignore format: one line a flow
const table: Readonly<Record<string, Make | readonly [Make, Traits]>> = {
  // Masked autoregressive flows
  'maf D 1': (gpu) => maf(gpu, { dim: 1, layers: 2, hidden: [7], seed: 1 }),
  'maf D 1, context': (gpu) => maf(gpu, { dim: 1, layers: 2, hidden: [7], contextDim: 2, seed: 2 }),
  'maf D 2, one layer': (gpu) => maf(gpu, { dim: 2, layers: 1, hidden: [7], seed: 3 }),
  'maf D 2': (gpu) => maf(gpu, { dim: 2, layers: 3, hidden: [33, 20], seed: 4 }),
  'maf D 2, context': (gpu) => maf(gpu, { dim: 2, layers: 2, hidden: [33, 20], contextDim: 3, seed: 5 }),
  'maf D 5, one layer, random order': (gpu) => maf(gpu, { dim: 5, layers: 1, hidden: [33, 20], order: 'random', seed: 6 }),
  'maf D 5, random order, batch norm': (gpu) => maf(gpu, { dim: 5, layers: 3, hidden: [33, 20], order: 'random', batchNorm: true, seed: 7 }),
  'maf D 63': (gpu) => maf(gpu, { dim: 63, layers: 2, hidden: [70, 81], seed: 8 }),
  'maf D 63, random order, context': (gpu) => maf(gpu, { dim: 63, layers: 1, hidden: [70], order: 'random', contextDim: 5, seed: 9 }),
  'iaf D 1': (gpu) => iaf(gpu, { dim: 1, layers: 1, hidden: [7], seed: 10 }),
  'iaf D 2, context': (gpu) => iaf(gpu, { dim: 2, layers: 2, hidden: [33, 20], contextDim: 1, seed: 11 }),
  'iaf D 5, one layer, random order': (gpu) => iaf(gpu, { dim: 5, layers: 1, hidden: [33, 20], order: 'random', seed: 12 }),
  'iaf D 5, batch norm': (gpu) => iaf(gpu, { dim: 5, layers: 2, hidden: [33, 20], batchNorm: true, seed: 13 }),
  'iaf D 63': (gpu) => iaf(gpu, { dim: 63, layers: 2, hidden: [70], seed: 14 }),
  // Autoregressive flows of every kind: orders, residual, interpolated, mixture outputs
  'maf D 5, natural order, random degrees, tanh': (gpu) => maf(gpu, { dim: 5, layers: 2, hidden: [33, 20], order: 'natural', degrees: 'random', activation: 'tanh', seed: 30 }),
  'maf D 5, one layer, given order': (gpu) => maf(gpu, { dim: 5, layers: 1, hidden: [33, 20], order: [3, 0, 4, 1, 2], seed: 31 }),
  'maf D 1, random degrees': (gpu) => maf(gpu, { dim: 1, layers: 1, hidden: [7], degrees: 'random', seed: 32 }),
  'maf D 5, residual': (gpu) => maf(gpu, { dim: 5, layers: 2, hidden: [20, 20, 20], residual: true, activation: 'elu', seed: 33 }),
  'maf D 5, residual, random degrees': (gpu) => maf(gpu, { dim: 5, layers: 2, hidden: [20, 20], residual: true, degrees: 'random', seed: 34 }),
  'maf D 2, residual, context added': (gpu) => maf(gpu, { dim: 2, layers: 2, hidden: [20, 20], residual: true, activation: 'tanh', contextDim: 2, seed: 35 }),
  'maf D 5, residual, context gated': (gpu) => maf(gpu, { dim: 5, layers: 2, hidden: [20, 20], residual: true, contextDim: 2, contextMode: 'gate', seed: 36 }),
  'maf D 5, residual, context concatenated': (gpu) => maf(gpu, { dim: 5, layers: 2, hidden: [20, 20], residual: true, contextDim: 2, contextMode: 'concat', seed: 37 }),
  'iaf D 5, context concatenated': (gpu) => iaf(gpu, { dim: 5, layers: 2, hidden: [20], contextDim: 2, contextMode: 'concat', seed: 38 }),
  'maf D 5, tanh scale': (gpu) => maf(gpu, { dim: 5, layers: 2, hidden: [20], scale: { form: 'tanh', bound: 2 }, seed: 39 }),
  'maf D 5, softclip scale': (gpu) => maf(gpu, { dim: 5, layers: 2, hidden: [20], scale: { form: 'softclip', slope: 1e-3 }, seed: 40 }),
  'iaf D 5, sigmoid2 scale': (gpu) => iaf(gpu, { dim: 5, layers: 2, hidden: [20], scale: { form: 'sigmoid2', eps: 1e-3 }, seed: 41 }),
  'maf D 5, interpolated': (gpu) => maf(gpu, { dim: 5, layers: 3, hidden: [20], interpolation: [0.5, 1, 0.1], seed: 42 }),
  'maf D 2, interpolated softplus': (gpu) => maf(gpu, { dim: 2, layers: 2, hidden: [20], interpolation: 0.7, scale: { form: 'softplus', eps: 1e-3 }, seed: 43 }),
  'iaf D 5, interpolated, context': (gpu) => iaf(gpu, { dim: 5, layers: 2, hidden: [20], interpolation: 0.3, contextDim: 2, seed: 44 }),
  'mademog D 1': (gpu) => mademog(gpu, { dim: 1, components: 3, hidden: [7], seed: 45 }),
  'mademog D 2, context': (gpu) => mademog(gpu, { dim: 2, components: 4, hidden: [33, 20], contextDim: 2, seed: 46 }),
  'mademog D 5, residual': (gpu) => mademog(gpu, { dim: 5, components: 5, hidden: [20, 20], residual: true, order: 'random', seed: 47 }),
  'maf D 2, mixture last': (gpu) => maf(gpu, { dim: 2, layers: 3, hidden: [20], output: { mixture: 3 }, seed: 48 }),
  'maf D 5, mixture in all, batch norm': (gpu) => maf(gpu, { dim: 5, layers: 2, hidden: [20], output: { mixture: 2, layers: 'all' }, batchNorm: true, seed: 49 }),
  'maf D 63, tanh, mixture last': (gpu) => maf(gpu, { dim: 63, layers: 1, hidden: [70], activation: 'tanh', output: { mixture: 2 }, seed: 50 }),
  // Couplings
  'nice D 2': (gpu) => nice(gpu, { dim: 2, layers: 3, hidden: [33, 20], seed: 15 }),
  'nice D 5, context': (gpu) => nice(gpu, { dim: 5, layers: 2, hidden: [7], contextDim: 2, seed: 16 }),
  'realNVP D 2': (gpu) => realNVP(gpu, { dim: 2, layers: 3, hidden: [33, 20], seed: 17 }),
  'realNVP D 2, context': (gpu) => realNVP(gpu, { dim: 2, layers: 2, hidden: [33, 20], contextDim: 2, seed: 18 }),
  'realNVP D 5, exp': (gpu) => realNVP(gpu, { dim: 5, layers: 2, hidden: [33, 20], scale: { form: 'exp' }, seed: 19 }),
  'realNVP D 5, tanh': (gpu) => realNVP(gpu, { dim: 5, layers: 1, hidden: [7], scale: { form: 'tanh', bound: 0.5 }, seed: 20 }),
  'realNVP D 5, clamp': (gpu) => realNVP(gpu, { dim: 5, layers: 2, hidden: [33, 20], scale: { form: 'clamp', low: -5, high: 3 }, seed: 21 }),
  'realNVP D 5, sigmoid2': (gpu) => realNVP(gpu, { dim: 5, layers: 2, hidden: [7], scale: { form: 'sigmoid2', eps: 1e-3 }, seed: 22 }),
  'realNVP D 5, softplus': (gpu) => realNVP(gpu, { dim: 5, layers: 2, hidden: [7], scale: { form: 'softplus', eps: 1e-3 }, seed: 23 }),
  'realNVP D 5, softplus_clamp3': (gpu) => realNVP(gpu, { dim: 5, layers: 2, hidden: [7], scale: { form: 'softplus_clamp3', eps: 1e-3 }, seed: 24 }),
  'realNVP D 63': (gpu) => realNVP(gpu, { dim: 63, layers: 3, hidden: [70, 81], seed: 25 }),
  // Couplings with every masking
  'realNVP D 5, halves, softclip': (gpu) => realNVP(gpu, { dim: 5, layers: 2, hidden: [7], masking: 'halves', scale: { form: 'softclip', slope: 1e-3 }, seed: 60 }),
  'realNVP D 12, checkerboard': (gpu) => realNVP(gpu, { dim: 12, layers: 2, hidden: [7], masking: 'checkerboard', shape: [2, 3, 2], activation: 'silu', seed: 61 }),
  'nice D 12, channels': (gpu) => nice(gpu, { dim: 12, layers: 2, hidden: [7], masking: 'channels', shape: [3, 2, 2], seed: 62 }),
  'realNVP D 5, random masks, context': (gpu) => realNVP(gpu, { dim: 5, layers: 3, hidden: [7], masking: 'random', contextDim: 2, seed: 63 }),
  'nice D 3, given masks': (gpu) => nice(gpu, { dim: 3, layers: 3, hidden: [7], masking: [[1, 0, 0], [0, 1, 1]], seed: 64 }),
  'coupling with mixtures D 5, context': (gpu) => couplingMixture(gpu),
  // Splines
  // Planar, radial, Sylvester
  // Images
  // Continuous flows
  // Residual flows
  // Bases
  // Structure: linear maps, norms, bounded supports
  // Sequences
};

export interface FlowCase {
  readonly name: string;
  readonly make: (gpu: Gpu) => Promise<GpuFlow>;
  readonly traits: Traits;
}

/** Every recipe returns a GpuFlow; the public type hides `record`, which the float64 interpreter needs. */
export const flows: readonly FlowCase[] = Object.entries(table).map(([name, entry]) => {
  const [make, traits] = typeof entry === 'function' ? [entry, {}] : entry;
  return { name, make: make as FlowCase['make'], traits };
});
