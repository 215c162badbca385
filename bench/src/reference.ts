// The same flows in float64, written from docs/format.md and from nothing of the library but the reader of its files. Masks are taken
// as they are stored; the sequential direction asks for one value after another and remembers it, so it needs no plan.

import type { FlowDescription, NetDescription, OpDescription } from '../../src/format/description.js';
import { descriptionFromMetadata } from '../../src/format/format.js';
import { readSafetensors, type StoredTensor } from '../../src/format/safetensors.js';

type Tensors = ReadonlyMap<string, StoredTensor>;

/** One unit: which inputs it reads, with which weights. */
interface Unit {
  readonly sources: readonly number[];
  readonly weights: readonly number[];
  readonly bias: number;
}

function numbers(tensors: Tensors, name: string): { shape: readonly number[]; data: readonly number[] } {
  const tensor = tensors.get(name);
  if (!tensor) throw new Error(`reference: the file has no tensor ${name}`);
  return { shape: tensor.shape, data: Array.from(tensor.data as Float32Array) };
}

function linearUnits(tensors: Tensors, name: string): Unit[] {
  const { shape, data } = numbers(tensors, `${name}.weight`);
  const mask = tensors.has(`${name}.mask`) ? numbers(tensors, `${name}.mask`).data : null;
  const bias = numbers(tensors, `${name}.bias`).data;
  const inputs = shape[1]!;
  return bias.map((value, output) => {
    const sources: number[] = [];
    const weights: number[] = [];
    for (let i = 0; i < inputs; i++) {
      const at = output * inputs + i;
      if (mask !== null && mask[at] === 0) continue;
      sources.push(i);
      weights.push(data[at]!);
    }
    return { sources, weights, bias: value };
  });
}

class Net {
  readonly stages: readonly Unit[][];

  constructor(net: NetDescription, tensors: Tensors) {
    if ((net.type !== 'masked_mlp' && net.type !== 'zuko_mlp') || net.activation !== 'relu')
      throw new Error(`reference: the benchmark's flows have ReLU nets; got ${JSON.stringify(net)}`);
    this.stages = net.linears.map((name) => linearUnits(tensors, name));
  }

  get nonZeros(): number {
    return this.stages.flat().reduce((sum, unit) => sum + unit.sources.length, 0);
  }

  /** Output `o` of the last stage, as a function that computes each unit at most once and asks `input(i)` only for what masks let through. */
  outputs(input: (i: number) => number): (o: number) => number {
    const values = this.stages.map((units) => new Float64Array(units.length));
    const known = this.stages.map((units) => new Uint8Array(units.length));
    const last = this.stages.length - 1;
    const value = (stage: number, o: number): number => {
      if (known[stage]![o] === 0) {
        const { sources, weights, bias } = this.stages[stage]![o]!;
        let sum = bias;
        for (const [k, source] of sources.entries()) sum += weights[k]! * (stage === 0 ? input(source) : value(stage - 1, source));
        values[stage]![o] = stage < last && sum < 0 ? 0 : sum;
        known[stage]![o] = 1;
      }
      return values[stage]![o]!;
    };
    return (o) => value(last, o);
  }
}

interface Moved {
  readonly value: Float64Array;
  readonly logDet: number;
}

interface Layer {
  readonly nonZeros: number;
  forward(x: Float64Array): Moved;
  inverse(z: Float64Array): Moved;
}

/** z = (x − μ) e^−s; (μ, s) are the halves of the net's output. */
function autoregressive(net: Net): Layer {
  const through = (dim: number, input: (i: number) => number) => {
    const output = net.outputs(input);
    return { shift: (i: number) => output(i), logScale: (i: number) => output(dim + i) };
  };
  return {
    nonZeros: net.nonZeros,
    forward(x) {
      const { shift, logScale } = through(x.length, (i) => x[i]!);
      let logDet = 0;
      const value = x.map((xi, i) => {
        logDet -= logScale(i);
        return (xi - shift(i)) * Math.exp(-logScale(i));
      });
      return { value, logDet };
    },
    inverse(z) {
      const value = new Float64Array(z.length);
      const known = new Uint8Array(z.length);
      const { shift, logScale } = through(z.length, (i) => feature(i));
      const feature = (i: number): number => {
        if (known[i] === 0) {
          value[i] = z[i]! * Math.exp(logScale(i)) + shift(i);
          known[i] = 1;
        }
        return value[i]!;
      };
      let logDet = 0;
      for (let i = 0; i < z.length; i++) {
        feature(i);
        logDet += logScale(i);
      }
      return { value, logDet };
    },
  };
}

/** z = a x + shift on `transform`, a = e^(bound tanh u); (shift, u) are the halves of the net's output. */
function coupling(op: Extract<OpDescription, { op: 'coupling_affine' }>, net: Net): Layer {
  if (op.form !== 'tanh') throw new Error(`reference: the benchmark's couplings have the form tanh; got ${op.form}`);
  const move = (given: Float64Array, sign: 1 | -1): Moved => {
    const output = net.outputs((i) => given[op.identity[i]!]!);
    const value = Float64Array.from(given);
    let logDet = 0;
    for (const [slot, feature] of op.transform.entries()) {
      const logScale = op.bound * Math.tanh(output(op.transform.length + slot));
      value[feature] =
        sign === 1 ? given[feature]! * Math.exp(logScale) + output(slot) : (given[feature]! - output(slot)) * Math.exp(-logScale);
      logDet += sign * logScale;
    }
    return { value, logDet };
  };
  return { nonZeros: net.nonZeros, forward: (x) => move(x, 1), inverse: (z) => move(z, -1) };
}

function permutation(perm: readonly number[]): Layer {
  return {
    nonZeros: 0,
    forward: (x) => ({ value: Float64Array.from(perm, (from) => x[from]!), logDet: 0 }),
    inverse(z) {
      const value = new Float64Array(z.length);
      for (const [to, from] of perm.entries()) value[from] = z[to]!;
      return { value, logDet: 0 };
    },
  };
}

function layerOf(op: OpDescription, tensors: Tensors): Layer {
  if (op.op === 'permute') return permutation(op.perm);
  if (op.op === 'ar_affine' && op.form === 'mu_s') return autoregressive(new Net(op.net, tensors));
  if (op.op === 'coupling_affine') return coupling(op, new Net(op.net, tensors));
  throw new Error(`reference: no flow of the benchmark has the op ${op.op}`);
}

/** A flow with a standard normal base, from the file that Flow.save() writes. One row at a time. */
export class ReferenceFlow {
  readonly dim: number;
  /** Connections that the masks leave open, in all networks: the multiply-adds of one row. */
  readonly nonZeros: number;
  readonly #layers: readonly Layer[];

  constructor(file: Uint8Array) {
    const { tensors, metadata } = readSafetensors(file);
    const description: FlowDescription = descriptionFromMetadata(metadata);
    this.dim = description.features;
    this.#layers = description.structure.map((op) => layerOf(op, tensors));
    this.nonZeros = this.#layers.reduce((sum, layer) => sum + layer.nonZeros, 0);
  }

  forward(x: ArrayLike<number>): Moved {
    return this.#chain(this.#layers, Float64Array.from(x), 'forward');
  }

  inverse(z: ArrayLike<number>): Moved {
    return this.#chain([...this.#layers].reverse(), Float64Array.from(z), 'inverse');
  }

  logProb(x: ArrayLike<number>): number {
    const { value, logDet } = this.forward(x);
    return value.reduce((sum, z) => sum - (z * z) / 2, logDet - (this.dim / 2) * Math.log(2 * Math.PI));
  }

  #chain(layers: readonly Layer[], value: Float64Array, direction: 'forward' | 'inverse'): Moved {
    let logDet = 0;
    for (const layer of layers) {
      const moved = layer[direction](value);
      value = moved.value;
      logDet += moved.logDet;
    }
    return { value, logDet };
  }
}
