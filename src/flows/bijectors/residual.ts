import { EVERY_PROBE, PROBE_DOMAIN, PROBE_NUMBER } from '../../kernels/divergence.js';
import { fill } from '../../kernels/fill.js';
import { implicit } from '../../kernels/implicit.js';
import { logDeterminant } from '../../kernels/log-determinant.js';
import { residualSeries } from '../../kernels/residual-series.js';
import { fixedPointSteps, memoryFor, patienceFor, residualSolve } from '../../kernels/residual-solve.js';
import { rowSum } from '../../kernels/row-sum.js';
import { ValueError } from '../../runtime/errors.js';
import type { Recorder } from '../../runtime/recorder.js';
import { NONE, type TiledTensor } from '../../runtime/tensor.js';
import type { Bijector, BijectorCall } from '../bijector.js';
import { type PackedLinear, packLinear, recordContextTerm } from '../conditioner/packing.js';
import { heldBound, lipschitzBound } from '../conditioner/spectral-norm.js';
import {
  type JacobianSeed,
  type MlpLayer,
  type MlpPlan,
  type Probes,
  planJacobian,
  planMlp,
  recordJacobian,
  recordMlp,
  recordProbeSum,
  recordProbes,
  recordTangents,
} from '../conditioner/tangents.js';
import { planRowNet, type RowNet, seriesTable, type TermCount } from './residual-plan.js';

/** Where the vectors of a trace come from. `unit` sums over all of them: exact. */
export type Probe = keyof typeof PROBE_NUMBER;

/** Of log det(I + dg/dx); docs/flows/residual.md has bias, variance and cost of each. */
export type ResidualLogDet =
  | { readonly method: 'exact' }
  | { readonly method: 'series'; readonly terms: number; readonly probe: Probe; readonly probes: number }
  | {
      readonly method: 'roulette';
      /** Terms that always count. */
      readonly exactTerms: number;
      /** Most terms. */
      readonly terms: number;
      readonly count: TermCount;
      readonly probe: Probe;
      readonly probes: number;
    };

/** `broyden` is a quasi-Newton iteration under the guard of the plain one; `fixed-point` is the plain one. */
export interface ResidualInverse {
  readonly method: 'broyden' | 'fixed-point';
  /** The residual that is small enough, relative to max(1, |x|). 0 goes on until rounding is all that is left. */
  readonly tolerance: number;
  /** Plain steps; null for as many as shrink the residual 2^24-fold for certain. */
  readonly iterations: number | null;
}

/** g(x; c): layers over x, and the context's projection, added to the first layer's output. */
export interface ResidualNet {
  readonly layers: readonly MlpLayer[];
  readonly context: (Pick<MlpLayer, 'weight' | 'originOf' | 'bias'> & { readonly contextDim: number }) | null;
}

/** The bound of a training whose weights nothing bounds: the solve takes as long as the rows ask for, and gives up late. */
const FREE = 0.99;
/** Features up to which the Jacobian is written out: D passes of tangents and D^3 / 3 multiply-adds a row. */
export const EXACT_FEATURES = 64;
/**
 * z = x + g(x; context), g a contraction of x. Behrmann et al. 2019, arXiv:1811.00995; Chen et al. 2019, arXiv:1906.02735.
 *
 * The inverse is solved row by row inside one kernel; the log-det of either direction is taken at x.
 */
export class Residual implements Bijector {
  readonly name = 'residual';
  readonly dim: number;
  readonly contextDim: number;
  /** L: bound of the Lipschitz constant of g, from the weights as they are. */
  readonly lipschitz: number;
  readonly #plan: MlpPlan;
  readonly #net: RowNet;
  readonly #context: PackedLinear | null;
  readonly #seed: JacobianSeed;
  readonly #logDet: ResidualLogDet;
  readonly #series: Uint32Array<ArrayBuffer> | null;
  readonly #inverse: ResidualInverse;
  readonly #stream: number;
  /** L while the weights move. */
  readonly #held: number;

  /**
   * @param stream number of this layer's random numbers, another for each layer of a flow.
   * @throws ValueError where g is no contraction by the norms of its layers, or an exact log-det has too many features.
   */
  constructor(
    dim: number,
    net: ResidualNet,
    options: { readonly logDet: ResidualLogDet; readonly inverse: ResidualInverse; readonly stream: number; readonly place: string },
  ) {
    const { logDet, inverse, stream, place } = options;
    this.lipschitz = lipschitzBound(net.layers);
    if (!(this.lipschitz < 1))
      throw new ValueError(
        `${place}: net`,
        'a product of spectral norms below 1, so that x + g(x) has an inverse',
        `${this.lipschitz.toPrecision(6)}`,
      );
    if (logDet.method === 'exact' && dim > EXACT_FEATURES)
      throw new ValueError(
        `${place}: an exact log-det`,
        `at most ${EXACT_FEATURES} features; choose the method 'series' or 'roulette' for more`,
        `${dim}`,
      );
    const { context } = net;
    this.dim = dim;
    this.contextDim = context?.contextDim ?? 0;
    this.#plan = planMlp(net.layers);
    this.#net = planRowNet(this.#plan, dim);
    this.#seed = planJacobian(this.#plan);
    this.#context = context && packLinear({ ...context, inputs: context.contextDim });
    this.#logDet = logDet;
    this.#inverse = inverse;
    this.#stream = stream;
    this.#held = heldBound(net.layers, FREE);
    this.#series =
      logDet.method === 'exact'
        ? null
        : seriesTable(
            logDet.terms,
            logDet.method === 'roulette' ? logDet.exactTerms : logDet.terms,
            logDet.method === 'roulette' ? logDet.count : null,
            logDet.probe === 'unit' ? 1 : logDet.probes,
          );
  }

  forward(r: Recorder, x: TiledTensor, { logDet, context }: BijectorCall): TiledTensor {
    const single = this.#plan.length === 1; // its one product meets both x and the context
    const side = this.#side(r, context, single ? x : null);
    const { y, slopes } = recordMlp(r, this.#plan, x, { first: side, last: x });
    if (logDet && r.differentiable) this.#recordLogDet(r, slopes, logDet, 1);
    else if (logDet && !this.#series) this.#recordExact(r, slopes, logDet, 1);
    else if (logDet) this.#recordSeries(r, x, single ? this.#side(r, context) : side, logDet, 1);
    return y!;
  }

  inverse(r: Recorder, z: TiledTensor, { logDet, context }: BijectorCall): TiledTensor {
    const side = this.#side(r, context);
    if (r.differentiable) return this.#differentiableInverse(r, z, side, { logDet, context });
    const x = this.#recordSolve(r, z, side, this.lipschitz);
    if (logDet && !this.#series) {
      const { slopes } = recordMlp(r, this.#plan, x, { first: side, output: false });
      this.#recordExact(r, slopes, logDet, -1);
    }
    if (logDet && this.#series) this.#recordSeries(r, x, side, logDet, -1);
    return x;
  }

  /** The solution, then a plain step from it, by which it is differentiated (src/kernels/rules/contraction.ts), and the log-det there. */
  #differentiableInverse(r: Recorder, z: TiledTensor, side: TiledTensor | null, { logDet, context }: BijectorCall): TiledTensor {
    const value = this.#recordSolve(r, z, side, this.#held);
    const image = this.forward(r, value, { logDet: null, context });
    const log_slope = r.tiled(this.dim, 'log-slopes');
    r.run(fill, { buffers: { destination: log_slope }, params: { features: this.dim, value: 0 } });
    const x = r.tiled(this.dim, 'x');
    r.run(implicit, { buffers: { value, goal: z, image, log_slope, y: x }, params: { features: this.dim, steps: 0 } });
    if (logDet) this.#recordLogDet(r, recordMlp(r, this.#plan, x, { first: side, output: false }).slopes, logDet, -1);
    return x;
  }

  #recordSolve(r: Recorder, z: TiledTensor, side: TiledTensor | null, contraction: number): TiledTensor {
    const { method, tolerance, iterations } = this.#inverse;
    const memory = method === 'broyden' ? memoryFor(this.dim) : 1;
    const plain = iterations ?? fixedPointSteps(contraction, 2 ** -24);
    const x = r.tiled(this.dim, 'x');
    const nodes = 2 * this.#net.width + (4 + memory) * this.dim;
    r.run(residualSolve, {
      buffers: { ...this.#netBuffers(r, nodes, side), source: z, x },
      params: {
        ...this.#netParams(nodes, side),
        memory,
        // A Broyden step may be taken back, so the guarantee takes two evaluations a step.
        limit: 1 + (method === 'broyden' ? 2 * plain : plain),
        patience: patienceFor(contraction),
        contraction,
        tolerance,
      },
      constants: { ACTIVATION: this.#net.activation, SIDE: side !== null },
    });
    return x;
  }

  /** The log-det of either direction for a gradient, by the slopes at x. */
  #recordLogDet(r: Recorder, slopes: readonly (TiledTensor | null)[], logDet: TiledTensor, sign: 1 | -1): void {
    if (this.#series) this.#recordTerms(r, slopes, logDet, sign);
    else this.#recordExact(r, slopes, logDet, sign);
  }

  /** The context's share of the first layer, plus `addend`; null where there is neither. */
  #side(r: Recorder, context: TiledTensor | null, addend: TiledTensor | null = null): TiledTensor | null {
    return this.#context ? recordContextTerm(r, this.#context, context, addend) : addend;
  }

  #recordExact(r: Recorder, slopes: readonly (TiledTensor | null)[], logDet: TiledTensor, sign: 1 | -1): void {
    // From unit vectors on, where gradients will be asked for: what the seeds are made of has no derivative rule.
    const matrix = r.differentiable
      ? recordTangents(r, this.#plan, slopes, this.#probes(r, { probe: 'unit', probes: this.dim }))
      : recordJacobian(r, this.#plan, slopes, this.#seed);
    r.run(logDeterminant, { buffers: { matrix, log_det: logDet }, params: { dim: this.dim, sign } });
  }

  #probes(r: Recorder, drawn: Pick<Probes, 'probe' | 'probes' | 'largest'>): TiledTensor {
    return recordProbes(r, { ...drawn, dim: this.dim, stream: this.#stream, domain: PROBE_DOMAIN.residual });
  }

  /** The series term by term, for a gradient: every row takes all of them, and those that a roulette leaves out have probes of 0. */
  #recordTerms(r: Recorder, slopes: readonly (TiledTensor | null)[], logDet: TiledTensor, sign: 1 | -1): void {
    if (this.#logDet.method === 'exact') return;
    const { dim } = this;
    const words = this.#series!;
    const coefficients = new Float32Array(words.buffer);
    const { probe } = this.#logDet;
    const probes = probe === 'unit' ? dim : this.#logDet.probes;
    const all = this.#probes(r, { probe, probes });
    const terms = words.length / 2;
    const total = r.tiled(terms, 'series');
    let image = all;
    for (let k = 0; k < terms; k++) {
      const largest = words[2 * k + 1]!;
      image = recordTangents(r, this.#plan, slopes, image);
      const counted = largest === EVERY_PROBE ? all : this.#probes(r, { probe, probes, largest });
      recordProbeSum(r, { probes: counted, image, dim }, total, k, sign * coefficients[2 * k]!);
    }
    r.run(rowSum, { buffers: { terms: total, total: logDet }, params: { features: terms } });
  }

  #recordSeries(r: Recorder, x: TiledTensor, side: TiledTensor | null, logDet: TiledTensor, sign: 1 | -1): void {
    if (this.#logDet.method === 'exact') return;
    const { probe, probes } = this.#logDet;
    const nodes = 2 * this.#net.width + this.dim + this.#net.slopeFeatures;
    r.run(residualSeries, {
      buffers: { ...this.#netBuffers(r, nodes, side), source: x, series: r.constant(this.#series!, 'series'), log_det: logDet },
      params: {
        ...this.#netParams(nodes, side),
        probes: probe === 'unit' ? this.dim : probes,
        terms: this.#series!.length / 2,
        stream: this.#stream,
        sign,
      },
      constants: { ACTIVATION: this.#net.activation, SIDE: side !== null, SLOPES: true, PROBE: PROBE_NUMBER[probe] },
    });
  }

  #netBuffers(r: Recorder, nodes: number, side: TiledTensor | null) {
    const { weight, weights, bias, biases, layers } = this.#net;
    const joined = (data: Float32Array<ArrayBuffer>, label: string, pieces: RowNet['weights']) => ({
      ...r.constant(data, label),
      pieces: pieces.map((piece) => ({ from: piece.from, of: r.constant(piece.data, label, piece.origin) })),
    });
    return {
      state: r.tiled(nodes, 'state'),
      weight: joined(weight, 'weights', weights),
      bias: joined(bias, 'biases', biases),
      layers: r.constant(layers, 'layers'),
      side: side ?? NONE,
    };
  }

  #netParams(nodes: number, side: TiledTensor | null) {
    const { width } = this.#net;
    return { dim: this.dim, layers: this.#plan.length, width, nodes, side_features: side?.features ?? 1 };
  }
}
