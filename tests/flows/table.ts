// Flows that tests/flows/properties.test.ts checks, one line each. What a flow is expected to satisfy follows from the flow itself (its
// dim, its context, its layers), so a new one needs nothing else, unless its data is bounded or its arithmetic coarser by nature: see Traits.

import type { GpuFlow } from '../../src/flows/flow.js';
import { iaf, maf, neuralSpline, nice, realNVP } from '../../src/index.js';
import type { Gpu } from '../../src/runtime/gpu.js';

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

/** A knot is known to a unit in the last place of the box's end, and a log-slope turns within a bin: that unit over the bin's width, a layer. */
const SPLINE = 5e-5;
/** Angles fill the whole box, the narrow bins at its ends among them, and each layer starts where the last one left its error. */
const SPLINE_TURNS = 3e-4;

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
  // Splines
  'neuralSpline D 2': [(gpu) => neuralSpline(gpu, { dim: 2, layers: 2, hidden: [20], seed: 101 }), { tolerance: SPLINE }],
  'neuralSpline D 5, context': [(gpu) => neuralSpline(gpu, { dim: 5, layers: 2, hidden: [20, 20], contextDim: 2, bins: 5, seed: 102 }), { tolerance: SPLINE }],
  'neuralSpline D 1, autoregressive, context': [(gpu) => neuralSpline(gpu, { dim: 1, type: 'autoregressive', layers: 2, hidden: [7], contextDim: 2, seed: 103 }), { tolerance: SPLINE }],
  'neuralSpline D 5, autoregressive, one layer': [(gpu) => neuralSpline(gpu, { dim: 5, type: 'autoregressive', layers: 1, hidden: [33], seed: 104 }), { tolerance: SPLINE }],
  'neuralSpline D 63, autoregressive': [(gpu) => neuralSpline(gpu, { dim: 63, type: 'autoregressive', layers: 1, hidden: [70], bins: 4, seed: 105 }), { tolerance: SPLINE }],
  'neuralSpline D 2, linear': [(gpu) => neuralSpline(gpu, { dim: 2, kind: 'linear', layers: 2, hidden: [20], bins: 4, seed: 106 }), { tolerance: SPLINE }],
  'neuralSpline D 2, quadratic, autoregressive': [(gpu) => neuralSpline(gpu, { dim: 2, type: 'autoregressive', kind: 'quadratic', layers: 2, hidden: [20], seed: 107 }), { tolerance: SPLINE }],
  'neuralSpline D 2, cubic': [(gpu) => neuralSpline(gpu, { dim: 2, kind: 'cubic', layers: 2, hidden: [20], seed: 108 }), { tolerance: SPLINE }],
  'neuralSpline D 2, box': [(gpu) => neuralSpline(gpu, { dim: 2, tails: 'none', layers: 2, hidden: [20], seed: 109 }), { tolerance: SPLINE, support: [0, 1], latentSupport: [0, 1] }],
  'neuralSpline D 2, cubic box, autoregressive': [(gpu) => neuralSpline(gpu, { dim: 2, type: 'autoregressive', kind: 'cubic', tails: 'none', box: [-2, 3], layers: 1, hidden: [20], seed: 110 }), { tolerance: SPLINE, support: [-2, 3], latentSupport: [-2, 3] }],
  'neuralSpline D 2, circular': [(gpu) => neuralSpline(gpu, { dim: 2, tails: 'circular', layers: 3, hidden: [20], seed: 111 }), { tolerance: SPLINE_TURNS, support: [-Math.PI, Math.PI], latentSupport: [-Math.PI, Math.PI] }],
  'neuralSpline D 3, circular, autoregressive, context': [(gpu) => neuralSpline(gpu, { dim: 3, type: 'autoregressive', tails: 'circular', layers: 2, hidden: [20], contextDim: 1, seed: 112 }), { tolerance: SPLINE_TURNS, support: [-Math.PI, Math.PI], latentSupport: [-Math.PI, Math.PI] }],
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
