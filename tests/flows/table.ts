// Flows that tests/flows/properties.test.ts checks, one line each. What a flow is expected to satisfy follows from the flow itself (its
// dim, its context, its layers), so a new one needs nothing else, unless its data is bounded or its arithmetic coarser by nature: see Traits.

import type { GpuFlow } from '../../src/flows/flow.js';
import {
  bounded,
  decoder,
  ffjord,
  glow,
  iaf,
  imageRealNVP,
  mademog,
  maf,
  neuralSpline,
  nice,
  planar,
  radial,
  realNVP,
  residual,
  standardised,
  sylvester,
} from '../../src/index.js';
import type { Gpu } from '../../src/runtime/gpu.js';
import { couplingMixture } from '../support/coupling-mixture.js';
import { perturbed } from '../support/perturbed.js';
import { splitTwice, uniformBehindSigmoid } from './structures.js';

type Make = (gpu: Gpu) => Promise<unknown>;

/** Where a flow differs from one over all of R^D in float32 arithmetic. */
export interface Traits {
  /** Interval that every feature of x lies in. Default: the whole line. */
  readonly support?: readonly [low: number, high: number];
  /** Interval that every feature of z lies in (a uniform base). Default: the whole line. */
  readonly latentSupport?: readonly [low: number, high: number];
  /** The last context feature is a class: an integer from 0 to this less 1. Default: a number as the others are. */
  readonly classes?: number;
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
  'maf D 7, wide, context': (gpu) => maf(gpu, { dim: 7, layers: 1, hidden: [400, 400], contextDim: 2, seed: 70 }), // solved in panels
  'maf D 63, wide': (gpu) => maf(gpu, { dim: 63, layers: 2, hidden: [400, 400], seed: 71 }),
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
  // The largest of 16 000 numbers, solved one after another: 5.003e-6 in one draw.
  'maf D 63, tanh, mixture last': [(gpu) => maf(gpu, { dim: 63, layers: 1, hidden: [70], activation: 'tanh', output: { mixture: 2 }, seed: 50 }), { tolerance: 1e-5 }],
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
  'neuralSpline D 2': [(gpu) => neuralSpline(gpu, { dim: 2, layers: 2, hidden: [20], seed: 101 }), { tolerance: SPLINE }],
  'neuralSpline D 5, context': [(gpu) => neuralSpline(gpu, { dim: 5, layers: 2, hidden: [20, 20], contextDim: 2, bins: 5, seed: 102 }), { tolerance: SPLINE }],
  'neuralSpline D 1, autoregressive, context': [(gpu) => neuralSpline(gpu, { dim: 1, type: 'autoregressive', layers: 2, hidden: [7], contextDim: 2, seed: 103 }), { tolerance: SPLINE }],
  'neuralSpline D 5, autoregressive, one layer': [(gpu) => neuralSpline(gpu, { dim: 5, type: 'autoregressive', layers: 1, hidden: [33], seed: 104 }), { tolerance: SPLINE }],
  'neuralSpline D 63, autoregressive': [(gpu) => neuralSpline(gpu, { dim: 63, type: 'autoregressive', layers: 1, hidden: [70], bins: 4, seed: 105 }), { tolerance: SPLINE }],
  'neuralSpline D 2, linear': [(gpu) => neuralSpline(gpu, { dim: 2, kind: 'linear', layers: 2, hidden: [20], bins: 4, seed: 106 }), { tolerance: SPLINE }],
  'neuralSpline D 9, autoregressive, wide': [(gpu) => neuralSpline(gpu, { dim: 9, type: 'autoregressive', layers: 1, hidden: [400, 400], bins: 4, seed: 118 }), { tolerance: SPLINE }],
  'neuralSpline D 2, quadratic, autoregressive': [(gpu) => neuralSpline(gpu, { dim: 2, type: 'autoregressive', kind: 'quadratic', layers: 2, hidden: [20], seed: 107 }), { tolerance: SPLINE }],
  'neuralSpline D 2, cubic': [(gpu) => neuralSpline(gpu, { dim: 2, kind: 'cubic', layers: 2, hidden: [20], seed: 108 }), { tolerance: SPLINE }],
  'neuralSpline D 2, box': [(gpu) => neuralSpline(gpu, { dim: 2, tails: 'none', layers: 2, hidden: [20], seed: 109 }), { tolerance: SPLINE, support: [0, 1], latentSupport: [0, 1] }],
  'neuralSpline D 2, cubic box, autoregressive': [(gpu) => neuralSpline(gpu, { dim: 2, type: 'autoregressive', kind: 'cubic', tails: 'none', box: [-2, 3], layers: 1, hidden: [20], seed: 110 }), { tolerance: SPLINE, support: [-2, 3], latentSupport: [-2, 3] }],
  'neuralSpline D 2, circular': [(gpu) => neuralSpline(gpu, { dim: 2, tails: 'circular', layers: 3, hidden: [20], seed: 111 }), { tolerance: SPLINE_TURNS, support: [-Math.PI, Math.PI], latentSupport: [-Math.PI, Math.PI] }],
  'neuralSpline D 3, circular, autoregressive, context': [(gpu) => neuralSpline(gpu, { dim: 3, type: 'autoregressive', tails: 'circular', layers: 2, hidden: [20], contextDim: 1, seed: 112 }), { tolerance: SPLINE_TURNS, support: [-Math.PI, Math.PI], latentSupport: [-Math.PI, Math.PI] }],
  // Planar, radial, Sylvester
  'planar D 1': (gpu) => planar(gpu, { dim: 1, layers: 3, seed: 30 }),
  'planar D 2': (gpu) => planar(gpu, { dim: 2, layers: 4, seed: 31 }),
  'planar D 2, leaky relu, context': (gpu) => planar(gpu, { dim: 2, layers: 2, activation: 'leaky_relu', hidden: [20], contextDim: 2, seed: 32 }),
  'planar D 5, context': (gpu) => planar(gpu, { dim: 5, layers: 2, hidden: [20], contextDim: 3, seed: 33 }),
  'planar D 63': (gpu) => planar(gpu, { dim: 63, layers: 3, seed: 34 }),
  'radial D 1': (gpu) => radial(gpu, { dim: 1, layers: 3, seed: 35 }),
  'radial D 2': (gpu) => radial(gpu, { dim: 2, layers: 4, seed: 36 }),
  'radial D 5, context': (gpu) => radial(gpu, { dim: 5, layers: 2, hidden: [20], contextDim: 3, seed: 37 }),
  'radial D 63': (gpu) => radial(gpu, { dim: 63, layers: 3, seed: 38 }),
  'sylvester D 1': (gpu) => sylvester(gpu, { dim: 1, layers: 2, basis: 'triangular', seed: 39 }),
  // Q is rounded to float32, and so its columns are orthonormal to 6e-8.
  'sylvester D 2': [(gpu) => sylvester(gpu, { dim: 2, layers: 2, seed: 40 }), { exactTolerance: 1e-6 }],
  'sylvester D 5, three units, context': [(gpu) => sylvester(gpu, { dim: 5, units: 3, layers: 2, hidden: [20], contextDim: 2, seed: 41 }), { exactTolerance: 1e-6 }],
  'sylvester D 5, triangular': (gpu) => sylvester(gpu, { dim: 5, layers: 3, basis: 'triangular', seed: 42 }),
  'sylvester D 63': [(gpu) => sylvester(gpu, { dim: 63, units: 9, layers: 2, seed: 43 }), { exactTolerance: 1e-6 }],
  // Images. Matrix and inverse of a 1×1 convolution are rounded to float32 on the host, each for itself, so even float64 comes back to 1e-6.
  'glow 1×2×2': [(gpu) => perturbed(gpu, glow(gpu, { shape: [1, 2, 2], levels: 1, steps: 2, hidden: [5], seed: 60 })), { exactTolerance: 1e-5 }],
  'glow 2×4×4, context': [(gpu) => perturbed(gpu, glow(gpu, { shape: [2, 4, 4], levels: 2, steps: 2, hidden: [8, 7], contextDim: 2, seed: 61 }), 0.05), { exactTolerance: 1e-5 }],
  'glow 1×4×4, context and classes, exp': [(gpu) => perturbed(gpu, glow(gpu, { shape: [1, 4, 4], levels: 1, steps: 1, hidden: [8], contextDim: 1, classes: 3, scale: 'exp', seed: 62 })), { classes: 3, exactTolerance: 1e-5 }],
  'glow 1×2×2, additive, matrix': [(gpu) => perturbed(gpu, glow(gpu, { shape: [1, 2, 2], levels: 1, steps: 2, hidden: [5], scale: 'additive', lu: false, seed: 63 })), { exactTolerance: 1e-5 }],
  'glow 3×8×8, sigmoid_inv': [(gpu) => perturbed(gpu, glow(gpu, { shape: [3, 8, 8], levels: 2, steps: 2, hidden: [8], scale: 'sigmoid_inv', splitPrior: false, seed: 64 }), 0.05), { exactTolerance: 1e-5 }],
  'imageRealNVP 1×1×2': (gpu) => perturbed(gpu, imageRealNVP(gpu, { shape: [1, 1, 2], levels: 1, hidden: [5], seed: 65 })),
  'imageRealNVP 1×2×2, context': (gpu) => perturbed(gpu, imageRealNVP(gpu, { shape: [1, 2, 2], levels: 1, hidden: [5], contextDim: 2, seed: 66 })),
  'imageRealNVP 1×3×3': (gpu) => perturbed(gpu, imageRealNVP(gpu, { shape: [1, 3, 3], levels: 1, hidden: [5, 6], seed: 67 })),
  'imageRealNVP 3×4×4': (gpu) => perturbed(gpu, imageRealNVP(gpu, { shape: [3, 4, 4], levels: 2, hidden: [8], scaleBound: 1, seed: 68 })),
  // Continuous flows. A solve back is the inverse, and the log-det that of the map, up to the steps' error, which these steps keep below 1e-7.
  'ffjord D 1, ±1 probe (exact there)': [(gpu) => ffjord(gpu, { dim: 1, hidden: [16], divergence: { estimator: 'rademacher' }, solver: { method: 'dopri5', steps: 4 }, seed: 65 }), { exactTolerance: 1e-7 }],
  'ffjord D 2': [(gpu) => ffjord(gpu, { dim: 2, hidden: [8], solver: { method: 'dopri5', steps: 3 }, seed: 81 }), { exactTolerance: 1e-7 }],
  'ffjord D 2, concat, context': [(gpu) => ffjord(gpu, { dim: 2, hidden: [8, 8], field: 'concat', activation: 'swish', contextDim: 2, solver: { method: 'dopri5', steps: 2 }, seed: 68 }), { exactTolerance: 1e-7 }],
  'ffjord D 5, softplus, two, context': [(gpu) => ffjord(gpu, { dim: 5, layers: 2, hidden: [30, 20], activation: 'softplus', contextDim: 3, solver: { method: 'dopri5', steps: 4 }, seed: 63 }), { exactTolerance: 1e-7 }],
  'ffjord D 5, autonomous': [(gpu) => ffjord(gpu, { dim: 5, hidden: [16], field: 'ignore', solver: { method: 'rk4-3/8', steps: 12 }, seed: 71 }), { exactTolerance: 1e-7 }],
  'ffjord D 63': [(gpu) => ffjord(gpu, { dim: 63, hidden: [8, 16, 12], field: 'concat', activation: 'swish', solver: { method: 'dopri5', steps: 2 }, seed: 78 }), { exactTolerance: 1e-7 }],
  // Residual flows. The fixed-point count is that of float32: plain steps leave 2^-24 of the first residual in float64 too
  'residual D 1': (gpu) => residual(gpu, { dim: 1, layers: 2, hidden: [7], seed: 1001 }),
  'residual D 2, context': (gpu) => residual(gpu, { dim: 2, layers: 3, hidden: [20, 13], contextDim: 2, seed: 1002 }),
  'residual D 5, elu': (gpu) => residual(gpu, { dim: 5, layers: 2, hidden: [33], activation: 'elu', coefficient: 0.97, seed: 1003 }),
  'residual D 5, fixed point, unit series': [(gpu) => residual(gpu, { dim: 5, layers: 2, hidden: [20], activation: 'tanh', logDet: { series: 40, probe: 'unit' }, inverse: 'fixed-point', actNorm: false, seed: 1004 }), { exactTolerance: 1e-6 }],
  'residual D 23, relu': (gpu) => residual(gpu, { dim: 23, layers: 2, hidden: [40], activation: 'relu', contextDim: 3, seed: 1005 }),
  // Bases
  'maf D 2, learned normal base': (gpu) => maf(gpu, { dim: 2, layers: 2, hidden: [20], base: { type: 'normal' }, seed: 90 }),
  'maf D 2, mixture base': (gpu) => maf(gpu, { dim: 2, layers: 2, hidden: [20], base: { type: 'mixture', components: 3, spread: 1 }, seed: 91 }),
  'realNVP D 5, mixture base': (gpu) => realNVP(gpu, { dim: 5, layers: 2, hidden: [20], base: { type: 'mixture', components: 4 }, seed: 92 }),
  'realNVP D 2, conditional base': (gpu) => realNVP(gpu, { dim: 2, layers: 2, hidden: [20], contextDim: 3, base: { type: 'conditional_normal', hidden: [16] }, seed: 93 }),
  'decoder D 5, normal': (gpu) => decoder(gpu, { dim: 5, contextDim: 3, hidden: [20], likelihood: 'normal', seed: 95 }),
  'maf D 63, conditional base': (gpu) => maf(gpu, { dim: 63, layers: 1, hidden: [70], contextDim: 2, base: { type: 'conditional_normal' }, seed: 94 }),
  'uniform base behind a sigmoid': [uniformBehindSigmoid, { latentSupport: [0, 1], tolerance: 1e-4 }],
  // Structure: linear maps, norms, bounded supports
  'maf D 2, lu': (gpu) => maf(gpu, { dim: 2, layers: 2, hidden: [20], linear: 'lu', seed: 100 }),
  'realNVP D 5, lu': (gpu) => realNVP(gpu, { dim: 5, layers: 3, hidden: [20], linear: 'lu', seed: 101 }),
  'realNVP D 63, lu': (gpu) => realNVP(gpu, { dim: 63, layers: 3, hidden: [70], linear: 'lu', seed: 102 }),
  'maf D 1, qr': (gpu) => maf(gpu, { dim: 1, layers: 2, hidden: [7], linear: 'qr', seed: 103 }),
  'maf D 5, qr, context': (gpu) => maf(gpu, { dim: 5, layers: 2, hidden: [20], contextDim: 2, linear: 'qr', seed: 104 }),
  // 63 reflections after each other, a sum over 63 features in each.
  'realNVP D 63, qr': [(gpu) => realNVP(gpu, { dim: 63, layers: 2, hidden: [70], linear: 'qr', seed: 105 }), { tolerance: 3e-5 }],
  'nice D 5, householder': (gpu) => nice(gpu, { dim: 5, layers: 3, hidden: [20], linear: 'householder', seed: 106 }),
  'realNVP D 5, random permutation': (gpu) => realNVP(gpu, { dim: 5, layers: 3, hidden: [20], linear: 'permute', seed: 107 }),
  'iaf D 5, swapped halves': (gpu) => iaf(gpu, { dim: 5, layers: 2, hidden: [20], linear: 'swap_halves', seed: 112 }),
  'split of 5, twice': splitTwice,
  // Next to 1 float32 holds x to 2^-24, which the logit magnifies by e^z.
  'maf D 1, unit support': [(gpu) => maf(gpu, { dim: 1, layers: 2, hidden: [7], support: 'unit', seed: 110 }), { support: [0, 1], tolerance: 1e-4 }],
  'realNVP D 2, unit support, context': [(gpu) => realNVP(gpu, { dim: 2, layers: 2, hidden: [20], contextDim: 2, support: { alpha: 0.01 }, seed: 111 }), { support: [0, 1], tolerance: 1e-4 }],
  // Inputs of unit size lie up to 8 deviations from these rows: half a unit in the last place of x − mean moves z by 3.7e-6, and 1.1e-5 was met.
  'standardised maf D 5, context': [async (gpu) => standardised(await maf(gpu, { dim: 5, layers: 2, hidden: [20], contextDim: 2, seed: 48 }), Float32Array.of(1, 2, -3, 0.5, 10, 2, 4, -1, 0.25, 12, 0, 1, 1, 0.75, 9)), { tolerance: 2e-5 }],
  'bounded planar D 1, an interval': [async (gpu) => bounded(await planar(gpu, { dim: 1, layers: 2, seed: 44 }), { low: -1, high: 3 }), { support: [-1, 3] }],
  'bounded maf D 2, a box': [async (gpu) => bounded(await maf(gpu, { dim: 2, layers: 2, hidden: [20], seed: 45 }), { low: 0, high: [1, 1] }), { support: [0, 1] }],
  'bounded realNVP D 5, context, mixed supports': [async (gpu) => bounded(await realNVP(gpu, { dim: 5, layers: 2, hidden: [20], contextDim: 2, seed: 46 }), { low: [0, -1, null, 0, null], high: [1, null, 4, 2, null] }), { support: [0, 1] }],
  'bounded maf D 5, exp': [async (gpu) => bounded(await maf(gpu, { dim: 5, layers: 1, hidden: [20], seed: 47 }), { low: [0, 0, null, null, -1], high: [null, null, 2, 1, null], positive: 'exp' }), { support: [0, 1] }],
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
