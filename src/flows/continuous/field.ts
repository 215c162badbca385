// A vector field f(t, x): a multilayer perceptron whose biases, and gates where it has them, depend on the time. What depends on the
// time is computed on the host in float64 and rounded once, one table an evaluation; weights are packed once and shared by all.

import type { Activation } from '../../kernels/activation.js';
import { divergence } from '../../kernels/divergence.js';
import { STRIP } from '../../kernels/masked-linear.js';
import type { Recorder } from '../../runtime/recorder.js';
import { type ConstantTensor, type ExternalTensor, NONE, SLICE, type TiledTensor } from '../../runtime/tensor.js';
import { identityOrder, type PackedLinear, packLinear, recordLinear } from '../conditioner/packing.js';
import {
  type JacobianSeed,
  type MlpPlan,
  type MlpValues,
  planJacobian,
  planMlp,
  recordJacobian,
  recordMlp,
  recordTangents,
} from '../conditioner/tangents.js';

/** What the time does to a layer: v = W h + bias, or (W h + bias) scale + shift where it is gated. Float64 [outputs] each. */
export interface LayerAtTime {
  readonly bias: Float64Array;
  readonly scale?: Float64Array;
  readonly shift?: Float64Array;
}

export interface FieldLayer {
  readonly inputs: number;
  readonly outputs: number;
  /** [outputs, inputs], row-major: data or hidden units alone, no time and no context. */
  readonly weight: Float32Array;
  readonly gated: boolean;
  readonly at: (time: number) => LayerAtTime;
}

/** layer, activation, layer, …, layer; at least two of them. Input and output have `dim` features. */
export interface Field {
  readonly dim: number;
  readonly contextDim: number;
  readonly layers: readonly FieldLayer[];
  readonly activation: Activation;
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

/** Params of the divergence kernels that an entry point does not read. */
const UNUSED = { scale_at: 0, total_features: 1, total_at: 0, stream: 0, factor: 1 };

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

  constructor(field: Field, divergence: Divergence) {
    const { layers, contextWeight, contextDim } = field;
    this.dim = field.dim;
    this.contextDim = contextDim;
    this.#divergence = divergence;
    let size = 0;
    this.#tables = layers.map((layer): LayerTable => {
      const padded = roundUp(layer.outputs, STRIP);
      const tableAt = size;
      size += roundUp(layer.gated ? 3 * padded : padded, SLICE);
      const tangentAt = size;
      if (layer.gated) size += roundUp(3 * padded, SLICE);
      return { layer, padded, tableAt, tangentAt };
    });
    this.tableSize = size;
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

  /** Writes the table of an evaluation at `time`, `tableSize` elements. */
  writeTable(time: number, table: Float32Array): void {
    for (const { layer, padded, tableAt, tangentAt } of this.#tables) {
      const { bias, scale, shift } = layer.at(time);
      table.set(bias, tableAt);
      if (!scale) continue;
      table.set(scale, tableAt + padded);
      table.set(shift!, tableAt + 2 * padded);
      table.set(scale, tangentAt + padded);
    }
  }

  /** What the context adds to the first layer, once a solve. */
  recordContext(r: Recorder, context: TiledTensor | null): TiledTensor | null {
    if (this.#context === null) return null;
    const projected = r.tiled(this.#context.outputs, 'context term');
    recordLinear(r, this.#context, context!, projected, { label: 'context term' });
    return projected;
  }

  /** Noise of the estimator, once a solve; null for the exact divergence. */
  recordProbes(r: Recorder): TiledTensor | null {
    const { dim } = this;
    const own = this.#divergence;
    if (own.type === 'exact') return null;
    const y = r.tiled(dim * own.probes, 'probes');
    const params = { ...UNUSED, dim, hidden: own.probes, stream: own.stream };
    r.run(divergence.probes, { buffers: { y }, params, constants: { RADEMACHER: own.type === 'rademacher' } });
    return y;
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
        return { bias: r.slice(table, tableAt), scaled: layer.gated };
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
      return layer.gated ? { tensor: r.slice(table, tangentAt), at: padded } : null;
    };
    const epilogueOf = (index: number) => {
      const gate = gateOf(index);
      return gate ? { bias: gate.tensor, scaled: true } : {};
    };
    const into = { total_features: slopes.features, total_at: at + dim };
    if (probes) {
      const count = probes.features / dim;
      const image = recordTangents(r, this.#plan, activationSlopes, probes, { epilogueOf });
      r.run(divergence.probeSum, {
        buffers: { tangents: probes, image, total: slopes },
        params: { ...UNUSED, ...into, dim, hidden: count, factor: 1 / count },
      });
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
      params: { ...UNUSED, ...into, dim, hidden: this.#tables[last]!.layer.inputs, scale_at: gate?.at ?? 0 },
      constants: { SCALE: gate !== null, SLOPE: slope !== null },
    });
  }
}
