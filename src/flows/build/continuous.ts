// Continuous flows: nets whose layers depend on the time, solvers, divergences. Formulas: docs/format.md.

import type { Activation, NetDescription } from '../../format/description.js';
import { FormatError, UnsupportedError } from '../../runtime/errors.js';
import { ContinuousFlow } from '../bijectors/continuous.js';
import { type Divergence, type Field, type FieldLayer, VectorField } from '../continuous/field.js';
import { DEFAULT_MAX_STEPS, DEFAULT_SOLVER, type Solver } from '../continuous/solvers.js';
import type { NetInput } from './nets.js';
import type { OpBuilders, OpOf } from './op.js';
import type { StateReader } from './state.js';

/** `shape` without its null: rows are those of the weight. */
const rowsOf = (state: StateReader, name: string): number => state.shapeOf(name)[0] ?? 0;

/** Columns begin … end − 1 of a row-major matrix. */
function columns(matrix: Float32Array, inputs: number, begin: number, end: number): Float32Array {
  const outputs = matrix.length / inputs;
  const part = new Float32Array(outputs * (end - begin));
  for (let o = 0; o < outputs; o++) part.set(matrix.subarray(o * inputs + begin, o * inputs + end), o * (end - begin));
  return part;
}

const NOTHING = new Float32Array(0);

/** One linear layer that reads (time features, h, context); the last two may be absent. */
interface SplitLayer {
  readonly outputs: number;
  /** [outputs, time features]. */
  readonly time: Float32Array;
  readonly weight: Float32Array;
  readonly context: Float32Array;
  readonly bias: Float32Array;
}

function readSplit(state: StateReader, prefix: string, time: number, inputs: number, context: number): SplitLayer {
  const outputs = rowsOf(state, `${prefix}.weight`);
  const all = time + inputs + context;
  const weight = state.parameter(`${prefix}.weight`, [outputs, all]);
  const bias = state.has(`${prefix}.bias`) ? state.parameter(`${prefix}.bias`, [outputs]) : new Float32Array(outputs);
  const part = (begin: number, end: number) => (begin === end ? NOTHING : columns(weight, all, begin, end));
  return { outputs, time: part(0, time), weight: part(time, time + inputs), context: part(time + inputs, all), bias };
}

/** bias + W_t e(t), where e are the features of the time. */
const shiftedBias =
  ({ outputs, time, bias }: SplitLayer, features: (t: number) => readonly number[]) =>
  (t: number) => {
    const e = features(t);
    return {
      bias: Float64Array.from({ length: outputs }, (_, o) => e.reduce((sum, value, i) => sum + time[o * e.length + i]! * value, bias[o]!)),
    };
  };

const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));

/** FFJORD's ConcatSquashLinear: (W h + b) σ(w_g t + b_g) + w_b t. */
function squashed(state: StateReader, prefix: string, { outputs, bias }: SplitLayer): FieldLayer['at'] {
  const gate = state.parameter(`${prefix}._hyper_gate.weight`, [outputs, 1]);
  const gateBias = state.parameter(`${prefix}._hyper_gate.bias`, [outputs]);
  const shift = state.parameter(`${prefix}._hyper_bias.weight`, [outputs, 1]);
  return (t) => ({
    bias: Float64Array.from(bias),
    scale: Float64Array.from(gate, (value, o) => sigmoid(value * t + gateBias[o]!)),
    shift: Float64Array.from(shift, (value) => value * t),
  });
}

interface LayerReader {
  readonly names: readonly string[];
  readonly activation: Activation;
  readonly withContext: boolean;
  /** Reads layer `index`, whose data or hidden inputs are `inputs`. */
  readonly read: (name: string, index: number, inputs: number, context: number) => { split: SplitLayer; at: FieldLayer['at'] };
}

function readerOf(state: StateReader, net: NetDescription, place: string): LayerReader {
  const withContext = 'context_concat' in net && net.context_concat === true;
  switch (net.type) {
    case 'concat_mlp':
      return {
        names: net.linears,
        activation: net.activation,
        withContext,
        read: (name, _, inputs, context) => {
          const split = readSplit(state, name, 1, inputs, context);
          return { split, at: shiftedBias(split, (t) => [t]) };
        },
      };
    case 'concat_squash_mlp':
      return {
        names: net.layers,
        activation: net.activation,
        withContext,
        read: (name, _, inputs, context) => {
          const split = readSplit(state, `${name}._layer`, 0, inputs, context);
          return { split, at: squashed(state, name, split) };
        },
      };
    case 'fourier_mlp': {
      const freqs = state.buffer(net.freqs, [null]);
      // zuko: cosines first, then sines, at the first layer alone. The products are float32's, as the library's are.
      const features = (t: number) => [...Array.from(freqs, (w) => Math.cos(w * t)), ...Array.from(freqs, (w) => Math.sin(w * t))];
      return {
        names: net.linears,
        activation: net.activation,
        withContext,
        read: (name, index, inputs, context) => {
          const split = readSplit(state, name, index === 0 ? 2 * freqs.length : 0, inputs, context);
          return { split, at: shiftedBias(split, index === 0 ? features : () => []) };
        },
      };
    }
    case 'zuko_mlp':
      return {
        names: net.linears,
        activation: net.activation,
        withContext,
        read: (name, _, inputs, context) => {
          const split = readSplit(state, name, 0, inputs, context);
          return { split, at: shiftedBias(split, () => []) };
        },
      };
    default:
      throw new UnsupportedError(place, `net ${JSON.stringify(net.type)} as a vector field`, [
        'concat_mlp',
        'concat_squash_mlp',
        'fourier_mlp',
        'zuko_mlp',
      ]);
  }
}

export function buildField(state: StateReader, net: NetDescription, input: NetInput, place: string): Field {
  const { inputs: dim } = input;
  const { names, activation, withContext, read } = readerOf(state, net, place);
  if (names.length < 2) throw new FormatError(place, `needs at least two layers, with an activation between them; got ${names.length}`);
  const contextDim = withContext ? input.contextDim : 0;
  let width = dim;
  let contextWeight: Float32Array | null = null;
  const layers = names.map((name, index): FieldLayer => {
    const { split, at } = read(name, index, width, index === 0 ? contextDim : 0);
    const layer = { inputs: width, outputs: split.outputs, weight: split.weight, gated: net.type === 'concat_squash_mlp', at };
    if (index === 0 && contextDim > 0) contextWeight = split.context;
    width = split.outputs;
    return layer;
  });
  if (width !== dim) throw new FormatError(place, `needs a last layer of ${dim} outputs, one a feature; ${names.at(-1)} has ${width}`);
  return { dim, contextDim, layers, activation, contextWeight };
}

function buildSolver({ solver }: OpOf<'cnf'>, place: string): Solver {
  if (!solver) return DEFAULT_SOLVER;
  const { method, steps, rtol, atol, max_steps: maxSteps = DEFAULT_MAX_STEPS } = solver;
  if (method !== 'dopri5_adaptive') {
    if (steps === undefined) throw new FormatError(`${place}.solver`, `needs the key "steps" with method "${method}"`);
    return { method, steps };
  }
  if (rtol === undefined || atol === undefined)
    throw new FormatError(`${place}.solver`, `needs the keys "rtol" and "atol" with method "${method}"`);
  if (!(atol > 0)) throw new FormatError(`${place}.solver.atol`, `needs a number above 0, since a log-det begins at 0; got ${atol}`);
  return { method, rtol, atol, steps: steps ?? null, maxSteps };
}

function buildDivergence({ divergence }: OpOf<'cnf'>, place: string): Divergence {
  if (!divergence || divergence.type === 'exact') return { type: 'exact' };
  const { type, probes = 1, stream = 0 } = divergence;
  for (const [key, value] of Object.entries({ probes, stream }))
    if (value >= 65536) throw new FormatError(`${place}.divergence.${key}`, `needs a number below 65536; got ${value}`);
  return { type, probes, stream };
}

export const continuousOps = {
  cnf(op, { state, inputs, contextDim, place }) {
    if (op.t_data === op.t_noise) throw new FormatError(place, `needs t_data and t_noise to differ; both are ${op.t_data}`);
    if (op.times !== undefined) {
      const stored = state.buffer(op.times, [2]);
      if (stored[0] !== Math.fround(op.t_data) || stored[1] !== Math.fround(op.t_noise))
        throw new FormatError(
          `${place}: ${op.times}`,
          `needs t_data and t_noise, ${op.t_data} and ${op.t_noise}; it holds ${stored.join(' and ')}`,
        );
    }
    const field = buildField(state, op.net, { inputs, contextDim }, `${place}.net`);
    const interval = { data: op.t_data, noise: op.t_noise };
    return new ContinuousFlow(new VectorField(field, buildDivergence(op, place)), interval, buildSolver(op, place));
  },
} satisfies OpBuilders;
