// Continuous flows: nets whose layers depend on the time, solvers, divergences. Formulas: docs/format.md.

import type { NetDescription } from '../../format/description.js';
import { needs } from '../../format/needs.js';
import { UnsupportedError } from '../../runtime/errors.js';
import { ContinuousFlow } from '../bijectors/continuous.js';
import { type Divergence, type Field, type FieldLayer, VectorField } from '../continuous/field.js';
import { DEFAULT_MAX_STEPS, DEFAULT_SOLVER, type Solver } from '../continuous/solvers.js';
import type { Hosting } from '../hosted.js';
import { columns, type NetInput } from './nets.js';
import type { OpBuilders, OpOf } from './op.js';
import type { StateReader } from './state.js';

/** FFJORD's ConcatSquashLinear: (W h + b) σ(w_g t + b_g) + w_b t. */
const gateOf = (state: StateReader, prefix: string, outputs: number): FieldLayer['gate'] => ({
  weight: state.parameter(`${prefix}._hyper_gate.weight`, [outputs, 1]),
  bias: state.parameter(`${prefix}._hyper_gate.bias`, [outputs]),
  shift: state.parameter(`${prefix}._hyper_bias.weight`, [outputs, 1]),
});

const FIELD_NETS = ['concat_mlp', 'concat_squash_mlp', 'fourier_mlp', 'zuko_mlp'] as const;
type FieldNet = Extract<NetDescription, { type: (typeof FIELD_NETS)[number] }>;

const isFieldNet = (net: NetDescription): net is FieldNet => (FIELD_NETS as readonly string[]).includes(net.type);

function timeFeaturesOf(state: StateReader, net: FieldNet): Field['timeFeatures'] {
  if (net.type === 'concat_mlp' || net.type === 'concat_squash_mlp') return (t) => [t];
  if (net.type !== 'fourier_mlp') return () => [];
  const freqs = [...state.buffer(net.freqs, [null])];
  // zuko: cosines first, then sines. The products are float32's, as the library's are.
  return (t) => [...freqs.map((w) => Math.cos(w * t)), ...freqs.map((w) => Math.sin(w * t))];
}

export function buildField(state: StateReader, net: NetDescription, input: NetInput, place: string): Field {
  const { inputs: dim } = input;
  if (!isFieldNet(net)) throw new UnsupportedError(place, `net ${JSON.stringify(net.type)} as a vector field`, FIELD_NETS);
  const gated = net.type === 'concat_squash_mlp';
  const names = gated ? net.layers : net.linears;
  const timeFeatures = timeFeaturesOf(state, net);
  needs(names.length > 1, place, 'at least two layers, with an activation between them', names.length);
  const contextDim = net.context_concat ? input.contextDim : 0;
  let inputs = dim;
  let contextWeight: Float32Array | null = null;
  const layers = names.map((name, index): FieldLayer => {
    const prefix = gated ? `${name}._layer` : name;
    // A row of the weight reads (time features, h, context); the first and the last may be absent. Waves enter the first layer alone.
    const time = gated || (net.type === 'fourier_mlp' && index > 0) ? 0 : timeFeatures(0).length;
    const all = time + inputs + (index === 0 ? contextDim : 0);
    const outputs = state.shapeOf(`${prefix}.weight`)[0] ?? 0;
    const whole = state.parameter(`${prefix}.weight`, [outputs, all]);
    const bias = state.optional(`${prefix}.bias`, [outputs]) ?? new Float32Array(outputs);
    const layer = {
      inputs,
      outputs,
      weight: columns(whole, outputs, all, time, time + inputs),
      bias,
      timeWeight: time > 0 ? columns(whole, outputs, all, 0, time) : null,
      gate: gated ? gateOf(state, name, outputs) : null,
    };
    if (index === 0 && contextDim > 0) contextWeight = columns(whole, outputs, all, time + inputs, all);
    inputs = outputs;
    return layer;
  });
  needs(inputs === dim, place, `a last layer of ${dim} outputs, one a feature`, `${names.at(-1)} of ${inputs}`);
  return { dim, contextDim, layers, activation: net.activation, timeFeatures, contextWeight };
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

export const continuousOps = (adaptive: Hosting) =>
  ({
    cnf(op, { state, inputs, contextDim, place }) {
      const { t_data: data, t_noise: noise } = op;
      needs(data !== noise, place, 't_data and t_noise to differ', data);
      if (op.times !== undefined) state.checkIndices(op.times, [Math.fround(data), Math.fround(noise)]);
      const field = buildField(state, op.net, { inputs, contextDim }, `${place}.net`);
      return new ContinuousFlow(new VectorField(field, buildDivergence(op, place)), { data, noise }, buildSolver(op, place), adaptive);
    },
  }) satisfies OpBuilders;
