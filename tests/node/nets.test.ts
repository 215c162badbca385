// Conditioner stages against the formulas of docs/format.md, written out plainly in float64. The golden cases cover what their models
// use; this covers the options that none of them has: context through gates, batch norm in feed-forward nets, nets without blocks.

import { describe, expect, test } from 'vitest';
import { buildNet } from '../../src/flows/build/nets.js';
import { StateReader } from '../../src/flows/build/state.js';
import { type Conditioner, INPUT, type Stage } from '../../src/flows/conditioner/conditioner.js';
import { uniformGenerator } from '../../src/flows/recipes/initial.js';
import type { NetDescription } from '../../src/format/description.js';
import type { StoredTensor } from '../../src/format/safetensors.js';

const D = 3;
const C = 2;
const H = 5;

/** Tensors that exist because somebody asks for them: the formulas name them, and the same ones go to the builder. */
class Tensors {
  readonly stored = new Map<string, StoredTensor>();
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = uniformGenerator(seed);
  }

  get(name: string, shape: number[], draw = () => 2 * this.#random() - 1): Float32Array {
    const known = this.stored.get(name);
    if (known) return known.data as Float32Array;
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, draw);
    this.stored.set(name, { dtype: 'F32', shape, data });
    return data;
  }

  variance = (name: string, size: number) => this.get(name, [size], () => 0.5 + this.#random());
  mask = (name: string, outputs: number, inputs: number) => this.get(name, [outputs, inputs], () => (this.#random() < 0.6 ? 1 : 0));

  /** (W ∘ mask) v + b. */
  linear(prefix: string, inputs: number[], outputs: number, options: { mask?: string; bias?: boolean } = {}): number[] {
    const weight = this.get(`${prefix}.weight`, [outputs, inputs.length]);
    const mask = options.mask === undefined ? null : this.mask(options.mask, outputs, inputs.length);
    const bias = options.bias === false ? null : this.get(`${prefix}.bias`, [outputs]);
    return Array.from({ length: outputs }, (_, o) =>
      inputs.reduce((sum, value, i) => sum + weight[o * inputs.length + i]! * (mask?.[o * inputs.length + i] ?? 1) * value, bias?.[o] ?? 0),
    );
  }

  batchNorm(prefix: string, values: number[]): number[] {
    const weight = this.get(`${prefix}.weight`, [values.length]);
    const bias = this.get(`${prefix}.bias`, [values.length]);
    const mean = this.get(`${prefix}.running_mean`, [values.length]);
    const variance = this.variance(`${prefix}.running_var`, values.length);
    return values.map((value, i) => ((value - mean[i]!) / Math.sqrt(variance[i]! + 1e-3)) * weight[i]! + bias[i]!);
  }
}

const relu = (values: number[]) => values.map((value) => Math.max(0, value));
const add = (a: number[], b: number[]) => a.map((value, i) => value + b[i]!);
const gated = (values: number[], gate: number[]) => values.map((value, i) => value / (1 + Math.exp(-gate[i]!)));

const activations = {
  identity: (v: number) => v,
  relu: (v: number) => Math.max(0, v),
  tanh: Math.tanh,
  sigmoid: (v: number) => 1 / (1 + Math.exp(-v)),
  elu: (v: number) => (v < 0 ? Math.expm1(v) : v),
  leaky_relu: (v: number) => (v < 0 ? 0.01 * v : v),
  silu: (v: number) => v / (1 + Math.exp(-v)),
  softplus: (v: number) => Math.log1p(Math.exp(v)),
};

/** The stages as their documentation reads: y = activation(norm(gate (W x + b) + context + skip)). Returns the outputs of all. */
function evaluate(stages: Conditioner['stages'], x: number[], context: number[]): number[][] {
  const outputs: number[][] = [];
  const raws: number[][] = [];
  for (const stage of stages) {
    const input = stage.input === INPUT ? x : outputs[stage.input]!;
    const raw = Array.from({ length: stage.outputs }, (_, o) => {
      let value = stage.bias?.[o] ?? 0;
      for (let i = 0; i < stage.inputs; i++)
        value += stage.mask?.[o * stage.inputs + i] === 0 ? 0 : stage.weight[o * stage.inputs + i]! * input[i]!;
      for (const term of stage.contexts) {
        const projected = context.reduce((sum, entry, c) => sum + term.weight[o * context.length + c]! * entry, term.bias?.[o] ?? 0);
        if (term.mode === 'gate') value /= 1 + Math.exp(-projected);
      }
      for (const term of stage.contexts) {
        const projected = context.reduce((sum, entry, c) => sum + term.weight[o * context.length + c]! * entry, term.bias?.[o] ?? 0);
        if (term.mode === 'add') value += activations[term.activation](projected);
      }
      return value + (stage.skip === null ? 0 : raws[stage.skip]![o]!);
    });
    raws.push(raw);
    const { norm, activation } = stage as Stage;
    outputs.push(raw.map((value, o) => activations[activation](norm ? value * norm.scale[o]! + norm.shift[o]! : value)));
  }
  return outputs;
}

interface NetCase {
  readonly name: string;
  readonly net: NetDescription;
  readonly formula: (t: Tensors, x: number[], c: number[]) => number[];
}

const nflowsMade = (blocks: number, residual: boolean, batchNorm: boolean, context: boolean, nde?: boolean): NetCase => ({
  name: `nflows_made blocks ${blocks} residual ${residual} batch norm ${batchNorm} context ${context}${nde ? ' nde' : ''}`,
  net: { type: 'nflows_made', prefix: 'n', blocks, residual, activation: 'relu', batch_norm: batchNorm, context, ...(nde && { nde }) },
  formula(t, x, c) {
    const act = nde ? (values: number[]) => values : relu; // around the first layer
    let h = t.linear('n.initial_layer', x, H, { mask: 'n.initial_layer.mask' });
    if (context) h = add(h, act(t.linear('n.context_layer', c, H)));
    if (!residual) h = act(h);
    for (let block = 0; block < blocks; block++) {
      const at = `n.blocks.${block}`;
      if (!residual) {
        const normed = batchNorm ? t.batchNorm(`${at}.batch_norm`, h) : h;
        h = relu(t.linear(`${at}.linear`, normed, H, { mask: `${at}.linear.mask` }));
        continue;
      }
      let v = relu(batchNorm ? t.batchNorm(`${at}.batch_norm_layers.0`, h) : h);
      v = t.linear(`${at}.linear_layers.0`, v, H, { mask: `${at}.linear_layers.0.mask` });
      if (context) v = add(v, t.linear(`${at}.context_layer`, c, H));
      v = relu(batchNorm ? t.batchNorm(`${at}.batch_norm_layers.1`, v) : v);
      h = add(h, t.linear(`${at}.linear_layers.1`, v, H, { mask: `${at}.linear_layers.1.mask` }));
    }
    return t.linear('n.final_layer', h, 2 * D, { mask: 'n.final_layer.mask' });
  },
});

const residualOver = (type: 'nflows_resnet' | 'normflows_made', blocks: number, batchNorm: boolean, context: boolean): NetCase => ({
  name: `${type} blocks ${blocks} batch norm ${batchNorm} context ${context}`,
  net:
    type === 'nflows_resnet'
      ? { type, prefix: 'n', blocks, activation: 'relu', batch_norm: batchNorm, context }
      : { type, prefix: 'n', blocks, activation: 'relu' },
  formula(t, x, c) {
    const concatenated = type === 'nflows_resnet';
    let h = t.linear('n.initial_layer', concatenated && context ? [...x, ...c] : x, H);
    if (!concatenated && context) h = add(h, t.linear('n.context_layer', c, H));
    for (let block = 0; block < blocks; block++) {
      const at = `n.blocks.${block}`;
      let v = relu(batchNorm ? t.batchNorm(`${at}.batch_norm_layers.0`, h) : h);
      v = t.linear(`${at}.linear_layers.0`, v, H);
      v = relu(batchNorm ? t.batchNorm(`${at}.batch_norm_layers.1`, v) : v);
      v = t.linear(`${at}.linear_layers.1`, v, H);
      if (context) v = gated(v, t.linear(`${at}.context_layer`, c, H));
      h = add(h, v);
    }
    return t.linear('n.final_layer', h, 2 * D);
  },
});

const ptf = (t: Tensors, joiner: string, trunk: string, x: number[], c: number[], outputs: number, act: (v: number) => number) => {
  const joined = add(
    t.linear(`${joiner}.linear`, x, H, { mask: `${joiner}.mask` }),
    t.linear(`${joiner}.cond_linear`, c, H, { bias: false }),
  );
  const second = t.linear(`${trunk}.1.linear`, joined.map(act), H, { mask: `${trunk}.1.mask` });
  return t.linear(`${trunk}.3.linear`, second.map(act), outputs, { mask: `${trunk}.3.mask` });
};

const cases: NetCase[] = [
  ...[0, 1, 2].flatMap((blocks) =>
    [true, false].flatMap((residual) =>
      [true, false].flatMap((norm) => [true, false].map((context) => nflowsMade(blocks, residual, norm, context))),
    ),
  ),
  ...[true, false].flatMap((residual) => [true, false].map((context) => nflowsMade(2, residual, true, context, true))),
  ...[0, 2].flatMap((blocks) =>
    [true, false].flatMap((norm) => [true, false].map((context) => residualOver('nflows_resnet', blocks, norm, context))),
  ),
  ...[0, 2].flatMap((blocks) => [true, false].map((context) => residualOver('normflows_made', blocks, false, context))),
  {
    name: 'masked_mlp with context',
    net: { type: 'masked_mlp', linears: ['a', 'b'], activation: 'elu', context_proj: 'p' },
    formula: (t, x, c) =>
      t.linear('b', add(t.linear('a', x, H, { mask: 'a.mask' }), t.linear('p', c, H)).map(activations.elu), 2 * D, { mask: 'b.mask' }),
  },
  {
    name: 'zuko_mlp with context',
    net: { type: 'zuko_mlp', linears: ['a', 'b', 'd'], activation: 'silu', context_concat: true },
    formula(t, x, c) {
      const first = t.linear('a', [...x, ...c], H, { mask: 'a.mask' }).map(activations.silu);
      return t.linear('d', t.linear('b', first, H, { mask: 'b.mask' }).map(activations.silu), 2 * D, { mask: 'd.mask' });
    },
  },
  {
    name: 'zuko_mlp with residual blocks and context',
    net: { type: 'zuko_mlp', linears: ['a', 'b', 'd', 'e'], activation: 'elu', context_concat: true, residual: true },
    formula(t, x, c) {
      const block = (name: string, h: number[]) => {
        const inner = t.linear(`${name}.0`, h, H, { mask: `${name}.0.mask` }).map(activations.elu);
        return add(h, t.linear(`${name}.2`, inner, H, { mask: `${name}.2.mask` }));
      };
      const h = block('d', block('b', t.linear('a', [...x, ...c], H, { mask: 'a.mask' })));
      return t.linear('e', h, 2 * D, { mask: 'e.mask' });
    },
  },
  {
    name: 'ptf_made with context',
    net: { type: 'ptf_made', prefix: '0', activation: 'tanh', context: true },
    formula: (t, x, c) => ptf(t, '0.joiner', '0.trunk', x, c, 2 * D, Math.tanh),
  },
  {
    name: 'ptf_made_split with context',
    net: { type: 'ptf_made_split', prefix: '0', s_act: 'tanh', t_act: 'relu', context: true },
    formula: (t, x, c) => [
      ...ptf(t, '0.s_joiner', '0.s_trunk', x, c, D, Math.tanh),
      ...ptf(t, '0.t_joiner', '0.t_trunk', x, c, D, activations.relu),
    ],
  },
];

describe('nets', () => {
  test.each(cases.map((entry) => [entry.name, entry] as const))('%s', (_, { net, formula }) => {
    for (const seed of [1, 2, 3]) {
      const random = uniformGenerator(1000 + seed);
      const tensors = new Tensors(seed);
      const x = Array.from({ length: D }, () => 4 * random() - 2);
      const context = Array.from({ length: C }, () => 4 * random() - 2);
      const expected = formula(tensors, x, context);
      const state = new StateReader(tensors.stored);
      const stages = buildNet(state, net, { inputs: D, contextDim: C }, 'net');
      expect(state.finish().length).toBeGreaterThan(0); // and every tensor that the formula names was read
      const outputs = evaluate(stages, x, context);
      const got = net.type === 'ptf_made_split' ? [...outputs[2]!, ...outputs[5]!] : outputs.at(-1)!;
      expect(got.length).toBe(expected.length);
      // A batch norm that is folded into float32 weights rounds once an entry; everything else is float64.
      for (const [i, value] of got.entries()) expect(Math.abs(value - expected[i]!)).toBeLessThan(2e-6 * (1 + Math.abs(expected[i]!)));
    }
  });
});
