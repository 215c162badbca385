// Continuous flows: nets whose layers depend on the time, solvers, divergences. Formulas: docs/format.md.

import type { NetDescription } from '../../format/description.js';
import { UnsupportedError } from '../../runtime/errors.js';
import { ContinuousFlow } from '../bijectors/continuous.js';
import { type Divergence, type Field, type FieldLayer, VectorField } from '../continuous/field.js';
import { DEFAULT_MAX_STEPS, DEFAULT_SOLVER, type Solver } from '../continuous/solvers.js';
import { needs } from './needs.js';
import type { NetInput } from './nets.js';
import type { OpBuilders, OpOf } from './op.js';
import type { StateReader } from './state.js';

/** Columns begin … end − 1 of a row-major matrix. */
function columns(matrix: Float32Array, inputs: number, begin: number, end: number): Float32Array {
  const outputs = matrix.length / inputs;
  const part = new Float32Array(outputs * (end - begin));
  for (let o = 0; o < outputs; o++) part.set(matrix.subarray(o * inputs + begin, o * inputs + end), o * (end - begin));
  return part;
}

const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));

/** FFJORD's ConcatSquashLinear: (W h + b) σ(w_g t + b_g) + w_b t. */
function squashed(state: StateReader, prefix: string, bias: Float32Array): FieldLayer['at'] {
  const outputs = bias.length;
  const gate = state.parameter(`${prefix}._hyper_gate.weight`, [outputs, 1]);
  const gateBias = state.parameter(`${prefix}._hyper_gate.bias`, [outputs]);
  const shift = state.parameter(`${prefix}._hyper_bias.weight`, [outputs, 1]);
  return (t) => ({
    bias: Float64Array.from(bias),
    scale: Float64Array.from(gate, (value, o) => sigmoid(value * t + gateBias[o]!)),
    shift: Float64Array.from(shift, (value) => value * t),
  });
}

/** Numbers of the time that a layer reads before its data. */
type TimeFeatures = (t: number) => readonly number[];

const noTime: TimeFeatures = () => [];

/** bias + W_t e(t), where e are the features of the time and W_t [outputs, features] their columns. */
const shifted =
  (bias: Float32Array, weight: Float32Array, features: TimeFeatures): FieldLayer['at'] =>
  (t) => {
    const e = features(t);
    return { bias: Float64Array.from(bias, (start, o) => e.reduce((sum, value, i) => sum + weight[o * e.length + i]! * value, start)) };
  };

const FIELD_NETS = ['concat_mlp', 'concat_squash_mlp', 'fourier_mlp', 'zuko_mlp'] as const;
type FieldNet = Extract<NetDescription, { type: (typeof FIELD_NETS)[number] }>;

const isFieldNet = (net: NetDescription): net is FieldNet => (FIELD_NETS as readonly string[]).includes(net.type);

/** By layer. */
function timeFeatures(state: StateReader, net: FieldNet): (index: number) => TimeFeatures {
  if (net.type === 'concat_mlp') return () => (t) => [t];
  if (net.type !== 'fourier_mlp') return () => noTime;
  const freqs = [...state.buffer(net.freqs, [null])];
  // zuko: cosines first, then sines, at the first layer alone. The products are float32's, as the library's are.
  const waves: TimeFeatures = (t) => [...freqs.map((w) => Math.cos(w * t)), ...freqs.map((w) => Math.sin(w * t))];
  return (index) => (index === 0 ? waves : noTime);
}

export function buildField(state: StateReader, net: NetDescription, input: NetInput, place: string): Field {
  const { inputs: dim } = input;
  if (!isFieldNet(net)) throw new UnsupportedError(place, `net ${JSON.stringify(net.type)} as a vector field`, FIELD_NETS);
  const gated = net.type === 'concat_squash_mlp';
  const names = gated ? net.layers : net.linears;
  const featuresOf = timeFeatures(state, net);
  needs(names.length > 1, place, 'at least two layers, with an activation between them', names.length);
  const contextDim = net.context_concat ? input.contextDim : 0;
  let inputs = dim;
  let contextWeight: Float32Array | null = null;
  const layers = names.map((name, index): FieldLayer => {
    const prefix = gated ? `${name}._layer` : name;
    const features = featuresOf(index);
    // A row of the weight reads (time features, h, context); the first and the last may be absent.
    const time = features(0).length;
    const all = time + inputs + (index === 0 ? contextDim : 0);
    const outputs = state.shapeOf(`${prefix}.weight`)[0] ?? 0;
    const whole = state.parameter(`${prefix}.weight`, [outputs, all]);
    const bias = state.has(`${prefix}.bias`) ? state.parameter(`${prefix}.bias`, [outputs]) : new Float32Array(outputs);
    const at = gated ? squashed(state, name, bias) : shifted(bias, columns(whole, all, 0, time), features);
    const layer = { inputs, outputs, weight: columns(whole, all, time, time + inputs), gated, at };
    if (index === 0 && contextDim > 0) contextWeight = columns(whole, all, time + inputs, all);
    inputs = outputs;
    return layer;
  });
  needs(inputs === dim, place, `a last layer of ${dim} outputs, one a feature`, `${names.at(-1)} of ${inputs}`);
  return { dim, contextDim, layers, activation: net.activation, contextWeight };
}

function buildSolver({ solver }: OpOf<'cnf'>, place: string): Solver {
  if (!solver) return DEFAULT_SOLVER;
  const { method, steps, rtol, atol, max_steps: maxSteps = DEFAULT_MAX_STEPS } = solver;
  const at = `${place}.solver`;
  if (method !== 'dopri5_adaptive') {
    needs(steps !== undefined, at, `the key "steps" with method "${method}"`, 'none');
    return { method, steps };
  }
  needs(
    rtol !== undefined && atol !== undefined,
    at,
    `the keys "rtol" and "atol" with method "${method}"`,
    rtol === undefined ? 'no rtol' : 'no atol',
  );
  needs(atol > 0, `${at}.atol`, 'a number above 0, since a log-det begins at 0', atol);
  return { method, rtol, atol, steps: steps ?? null, maxSteps };
}

function buildDivergence({ divergence }: OpOf<'cnf'>, place: string): Divergence {
  if (!divergence || divergence.type === 'exact') return { type: 'exact' };
  const { type, probes = 1, stream = 0 } = divergence;
  for (const [key, value] of Object.entries({ probes, stream }))
    needs(value < 65536, `${place}.divergence.${key}`, 'a number below 65536', value);
  return { type, probes, stream };
}

export const continuousOps = {
  cnf(op, { state, inputs, contextDim, place }) {
    const { t_data: data, t_noise: noise } = op;
    needs(data !== noise, place, 't_data and t_noise to differ', data);
    if (op.times !== undefined) state.checkIndices(op.times, [Math.fround(data), Math.fround(noise)]);
    const field = buildField(state, op.net, { inputs, contextDim }, `${place}.net`);
    return new ContinuousFlow(new VectorField(field, buildDivergence(op, place)), { data, noise }, buildSolver(op, place));
  },
} satisfies OpBuilders;
