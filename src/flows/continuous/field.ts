// A vector field f(t, x): a multilayer perceptron whose biases, and gates where it has them, depend on the time. What depends on the
// time is computed on the host in float64 and rounded once, one table an evaluation; weights are packed once and shared by all.

import type { Activation } from '../../kernels/activation.js';
import { divergence, PROBE_DOMAIN } from '../../kernels/divergence.js';
import { STRIP } from '../../kernels/linear-strips.js';
import type { Recorder } from '../../runtime/recorder.js';
import { type ConstantTensor, type ExternalTensor, NONE, type Origin, SLICE, type TiledTensor } from '../../runtime/tensor.js';
import { identityOrder, type PackedLinear, packLinear, recordContextTerm } from '../conditioner/packing.js';
import {
  type JacobianSeed,
  type MlpPlan,
  type MlpValues,
  planJacobian,
  planMlp,
  recordJacobian,
  recordMlp,
  recordProbeSum,
  recordProbes,
  recordTangents,
  UNUSED,
} from '../conditioner/tangents.js';

/** v = W h + bias + timeWeight e(t), or (W h + bias) σ(gate.weight t + gate.bias) + gate.shift t where it is gated. */
export interface FieldLayer {
  readonly inputs: number;
  readonly outputs: number;
  /** [outputs, inputs], row-major: data or hidden units alone, no time and no context. */
  readonly weight: Float32Array;
  /** [outputs], as those of the gate. */
  readonly bias: Float32Array;
  /** [outputs, features of the time], row-major; null where the layer reads none. */
  readonly timeWeight: Float32Array | null;
  readonly gate: { readonly weight: Float32Array; readonly bias: Float32Array; readonly shift: Float32Array } | null;
}

/** layer, activation, layer, …, layer; at least two of them. Input and output have `dim` features. */
export interface Field {
  readonly dim: number;
  readonly contextDim: number;
  readonly layers: readonly FieldLayer[];
  readonly activation: Activation;
  /** e(t), what layers read of the time: t itself where one is gated. */
  readonly timeFeatures: (t: number) => readonly number[];
  /** [outputs of the first layer, contextDim]: its columns of the context; null where none is read. */
  readonly contextWeight: Float32Array | null;
}

export type Divergence =
  | { readonly type: 'exact' }
  | { readonly type: 'gaussian' | 'rademacher'; readonly probes: number; readonly stream: number };

export type TableTensor = ConstantTensor | ExternalTensor;

/** One evaluation: where the field is read, and where slopes and divergence go. */
export interface Evaluation {
  /** Tiled; the first `dim` features are read. */
  readonly point: TiledTensor;
  /** Table of this evaluation's time. */
  readonly table: TableTensor;
  /** Projection of the context, from `recordContext`. */
  readonly context: TiledTensor | null;
  /** From `recordProbes`; null for the exact divergence, or none. */
  readonly probes: TiledTensor | null;
  readonly slopes: TiledTensor;
  /** Feature of `slopes` at which they begin; the divergence follows them. */
  readonly at: number;
  readonly withDivergence: boolean;
}

const roundUp = (value: number, unit: number): number => Math.ceil(value / unit) * unit;

/** Where a layer's numbers lie in the table of an evaluation. */
interface LayerTable {
  readonly layer: FieldLayer;
  readonly padded: number;
  /** Element at which its bias, scale and shift begin. */
  readonly tableAt: number;
  /** The same for tangents, which the gate multiplies and nothing shifts: 0, scale, 0. Only where gated. */
  readonly tangentAt: number;
}

export class VectorField {
  readonly dim: number;
  readonly contextDim: number;
  /** Elements of one evaluation's table. */
  readonly tableSize: number;
  readonly #tables: readonly LayerTable[];
  readonly #plan: MlpPlan;
  readonly #context: PackedLinear | null;
  readonly #seed: JacobianSeed;
  /** The last layer's weight as [outputs, inputs]. */
  readonly #byRows: Float32Array<ArrayBuffer>;
  readonly #divergence: Divergence;
  readonly #timeFeatures: Field['timeFeatures'];
  /** [1 + features of the time, tableSize]: what the table's entries weigh 1 and those features with. */
  readonly #timeWeights: Float32Array<ArrayBuffer>;
  /** [tableSize]: 1 where the sum goes through a sigmoid. */
  readonly #gated: Float32Array<ArrayBuffer>;

  constructor(field: Field, divergence: Divergence) {
    const { layers, contextWeight, contextDim } = field;
    this.dim = field.dim;
    this.contextDim = contextDim;
    this.#divergence = divergence;
    let size = 0;
    this.#tables = layers.map((layer): LayerTable => {
      const padded = roundUp(layer.outputs, STRIP);
      const tableAt = size;
      size += roundUp(layer.gate ? 3 * padded : padded, SLICE);
      const tangentAt = size;
      if (layer.gate) size += roundUp(3 * padded, SLICE);
      return { layer, padded, tableAt, tangentAt };
    });
    this.tableSize = size;
    this.#timeFeatures = field.timeFeatures;
    this.#timeWeights = new Float32Array((1 + field.timeFeatures(0).length) * size);
    this.#gated = new Float32Array(size);
    for (const table of this.#tables) this.#packTimes(table);
    this.#plan = planMlp(layers.map((layer, index) => ({ ...layer, bias: null, activation: index === 0 ? 'identity' : field.activation })));
    this.#seed = planJacobian(this.#plan);
    this.#byRows = Float32Array.from(layers.at(-1)!.weight);
    this.#context =
      contextWeight &&
      packLinear(
        { weight: contextWeight, mask: null, bias: null, inputs: contextDim },
        identityOrder(layers[0]!.outputs),
        identityOrder(contextDim),
      );
  }

  #packTimes({ layer, padded, tableAt, tangentAt }: LayerTable): void {
    const { outputs, bias, timeWeight, gate } = layer;
    const size = this.tableSize;
    const weights = this.#timeWeights;
    const terms = weights.length / size;
    weights.set(bias, tableAt);
    for (let o = 0; timeWeight && o < outputs; o++)
      for (let j = 1; j < terms; j++) weights[j * size + tableAt + o] = timeWeight[o * (terms - 1) + j - 1]!;
    if (!gate) return;
    for (const at of [tableAt + padded, tangentAt + padded]) {
      weights.set(gate.bias, at);
      weights.set(gate.weight, size + at);
      this.#gated.fill(1, at, at + outputs);
    }
    weights.set(gate.shift, size + tableAt + 2 * padded);
  }

  /** Writes the table of an evaluation at `time`, `tableSize` elements. */
  writeTable(time: number, table: Float32Array): void {
    const features = this.#timeFeatures(time);
    const size = this.tableSize;
    for (let i = 0; i < size; i++) {
      const sum = features.reduce((total, value, j) => total + value * this.#timeWeights[(1 + j) * size + i]!, this.#timeWeights[i]!);
      table[i] = this.#gated[i] === 1 ? 1 / (1 + Math.exp(-sum)) : sum;
    }
  }

  /** What the tables of evaluations at these times, one after another, are computed from. */
  originOf(times: readonly number[]): Origin {
    const terms = this.#timeWeights.length / this.tableSize;
    return {
      kind: 'time table',
      inputs: {
        times: Float32Array.from(times.flatMap((time) => [1, ...this.#timeFeatures(time)])),
        weights: this.#timeWeights,
        gated: this.#gated,
      },
      settings: { evaluations: times.length, terms, width: this.tableSize },
    };
  }

  /** What the context adds to the first layer, once a solve. */
  recordContext(r: Recorder, context: TiledTensor | null): TiledTensor | null {
    return this.#context && recordContextTerm(r, this.#context, context);
  }

  /**
   * Noise of the estimator, once a solve; null for the exact divergence. Where gradients will be asked for, that is a sum over all unit
   * vectors as probes, which takes D products with the first and the last layer more and no kernel of its own backwards.
   */
  recordProbes(r: Recorder): TiledTensor | null {
    const { dim } = this;
    const own = this.#divergence;
    if (own.type === 'exact' && !r.differentiable) return null;
    const drawn = own.type === 'exact' ? { probe: 'unit' as const, probes: dim, stream: 0 } : { ...own, probe: own.type };
    return recordProbes(r, { dim, ...drawn, domain: PROBE_DOMAIN.solve });
  }

  /** Records slopes = f(t, point), and after them the divergence where wanted. */
  recordEvaluation(r: Recorder, evaluation: Evaluation): void {
    const { point, table, context, slopes, at, withDivergence } = evaluation;
    const values = recordMlp(r, this.#plan, point, {
      first: context,
      fused: !withDivergence,
      into: { tensor: slopes, at },
      epilogueOf: (index) => {
        const { layer, tableAt } = this.#tables[index]!;
        return { bias: r.slice(table, tableAt), scaled: layer.gate !== null };
      },
    });
    if (withDivergence) this.#recordDivergence(r, values.slopes, evaluation);
  }

  /** The diagonal of the last layer's product with the tangents of the unit vectors, or eps^T J eps of each probe. */
  #recordDivergence(r: Recorder, activationSlopes: MlpValues['slopes'], { table, probes, slopes, at }: Evaluation): void {
    const { dim } = this;
    /** Table of 0, scale, 0 for tangents of a gated layer. */
    const gateOf = (index: number) => {
      const { layer, padded, tangentAt } = this.#tables[index]!;
      return layer.gate ? { tensor: r.slice(table, tangentAt), at: padded } : null;
    };
    const epilogueOf = (index: number) => {
      const gate = gateOf(index);
      return gate ? { bias: gate.tensor, scaled: true } : {};
    };
    if (probes) {
      const image = recordTangents(r, this.#plan, activationSlopes, probes, { epilogueOf });
      const factor = this.#divergence.type === 'exact' ? 1 : dim / probes.features;
      recordProbeSum(r, { probes, image, dim }, slopes, at + dim, factor);
      return;
    }
    const last = this.#plan.length - 1;
    const gate = gateOf(last);
    const slope = last === this.#seed.layer ? null : activationSlopes[last]!;
    r.run(divergence.trace, {
      buffers: {
        tangents: recordJacobian(r, this.#plan, activationSlopes, this.#seed, { until: last, scale: gateOf(0), epilogueOf }),
        slope: slope ?? NONE,
        weight: r.constant(this.#byRows, `weight ${last} by rows`),
        scale: gate?.tensor ?? NONE,
        total: slopes,
      },
      params: {
        ...UNUSED,
        dim,
        hidden: this.#tables[last]!.layer.inputs,
        scale_at: gate?.at ?? 0,
        total_features: slopes.features,
        total_at: at + dim,
      },
      constants: { SCALE: gate !== null, SLOPE: slope !== null },
    });
  }
}
