// A vector field f(t, x): a multilayer perceptron whose biases, and gates where it has them, depend on the time. What depends on the
// time is computed on the host in float64 and rounded once, one table an evaluation; weights are packed once and shared by all.

import { ACTIVATION_NUMBER, type Activation, activation } from '../../kernels/activation.js';
import { divergence } from '../../kernels/divergence.js';
import { STRIP } from '../../kernels/masked-linear.js';
import { scaleTangents } from '../../kernels/scale-tangents.js';
import type { Recorder } from '../../runtime/recorder.js';
import { type ConstantTensor, type ExternalTensor, NONE, SLICE, type Tensor, type TiledTensor } from '../../runtime/tensor.js';
import { identityOrder, type LinearEpilogue, type PackedLinear, packLinear, recordLinear } from '../conditioner/packing.js';

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

/** Tangents side by side, null before the first layer of an exact divergence, and the slope of an activation that they have yet to pass. */
interface Tangents {
  readonly tensor: TiledTensor | null;
  readonly slope: TiledTensor | null;
}

/** Params of the divergence kernels that an entry point does not read. */
const UNUSED = { scale_at: 0, total_features: 1, total_at: 0, stream: 0, factor: 1 };

interface PlannedLayer {
  readonly layer: FieldLayer;
  readonly packed: PackedLinear;
  readonly padded: number;
  /** Element of an evaluation's table at which this layer's bias, scale and shift begin. */
  readonly tableAt: number;
  /** The same for tangents, which the gate multiplies and nothing shifts: 0, scale, 0. Only where gated. */
  readonly tangentAt: number;
}

export class VectorField {
  readonly dim: number;
  readonly contextDim: number;
  /** Elements of one evaluation's table. */
  readonly tableSize: number;
  readonly #activation: Activation;
  readonly #layers: readonly PlannedLayer[];
  readonly #context: PackedLinear | null;
  /** First layer's weight as [inputs, outputs], and the last one's as [outputs, inputs]. */
  readonly #byColumns: Float32Array<ArrayBuffer>;
  readonly #byRows: Float32Array<ArrayBuffer>;
  readonly #divergence: Divergence;

  constructor(field: Field, divergence: Divergence) {
    const { layers, contextWeight, contextDim } = field;
    this.dim = field.dim;
    this.contextDim = contextDim;
    this.#activation = field.activation;
    this.#divergence = divergence;
    let size = 0;
    this.#layers = layers.map((layer): PlannedLayer => {
      const { inputs, outputs, weight, gated } = layer;
      const padded = roundUp(outputs, STRIP);
      const tableAt = size;
      size += roundUp(gated ? 3 * padded : padded, SLICE);
      const tangentAt = size;
      if (gated) size += roundUp(3 * padded, SLICE);
      const packed = packLinear({ weight, mask: null, bias: null, inputs }, identityOrder(outputs), identityOrder(inputs));
      return { layer, packed, padded, tableAt, tangentAt };
    });
    this.tableSize = size;
    const { inputs, outputs: first, weight } = layers[0]!;
    this.#byColumns = Float32Array.from({ length: inputs * first }, (_, i) => weight[(i % first) * inputs + Math.floor(i / first)]!);
    this.#byRows = Float32Array.from(layers.at(-1)!.weight);
    this.#context =
      contextWeight &&
      packLinear({ weight: contextWeight, mask: null, bias: null, inputs: contextDim }, identityOrder(first), identityOrder(contextDim));
  }

  /** Writes the table of an evaluation at `time`, `tableSize` elements. */
  writeTable(time: number, table: Float32Array): void {
    for (const { layer, padded, tableAt, tangentAt } of this.#layers) {
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
    const { slopes, at, withDivergence } = evaluation;
    const last = this.#layers.length - 1;
    let h = evaluation.point;
    let tangents: Tangents = { tensor: evaluation.probes, slope: null };
    for (let index = 0; index < last; index++) {
      const { value, slope } = this.#recordHidden(r, index, h, evaluation);
      h = value;
      if (slope) tangents = this.#recordTangents(r, index, tangents, slope, evaluation.table);
    }
    this.#recordLinear(r, last, h, slopes, evaluation, { yAt: at });
    if (withDivergence) this.#recordTrace(r, tangents, evaluation);
  }

  #recordLinear(
    r: Recorder,
    index: number,
    h: TiledTensor,
    y: TiledTensor,
    { table, context }: Evaluation,
    more: Partial<LinearEpilogue>,
  ): void {
    const { layer, packed, tableAt } = this.#layers[index]!;
    const addend = index === 0 ? context : null;
    recordLinear(r, packed, h, y, { label: `${index}`, bias: r.slice(table, tableAt), scaled: layer.gated, addend, ...more });
  }

  /** A hidden layer behind its activation, and the activation's slope where tangents have to pass it. */
  #recordHidden(r: Recorder, index: number, h: TiledTensor, evaluation: Evaluation): { value: TiledTensor; slope: TiledTensor | null } {
    const { outputs } = this.#layers[index]!.layer;
    const value = r.tiled(outputs, `hidden ${index}`);
    if (!evaluation.withDivergence) {
      this.#recordLinear(r, index, h, value, evaluation, { activation: this.#activation });
      return { value, slope: null };
    }
    const source = r.tiled(outputs, `raw ${index}`);
    this.#recordLinear(r, index, h, source, evaluation, {});
    const slope = r.tiled(outputs, `slope ${index}`);
    r.run(activation, {
      buffers: { source, value, slope },
      params: { features: outputs, beta: 1 },
      constants: { ACTIVATION: ACTIVATION_NUMBER[this.#activation], HAS_VALUE: true, HAS_SLOPE: true },
    });
    return { value, slope };
  }

  /** Tangents through a hidden layer. Those of the unit vectors begin as the columns of the first layer's weight. */
  #recordTangents(r: Recorder, index: number, before: Tangents, slope: TiledTensor, table: TableTensor): Tangents {
    if (before.tensor !== null) return { tensor: this.#recordImage(r, index, before, table), slope };
    const { layer, padded } = this.#layers[index]!;
    const y = r.tiled(this.dim * layer.outputs, 'tangents');
    r.run(divergence.firstTangents, {
      buffers: { slope, weight: r.constant(this.#byColumns, 'weight 0 by columns'), scale: this.#gate(r, index, table), y },
      params: { ...UNUSED, dim: this.dim, hidden: layer.outputs, scale_at: padded },
      constants: { SCALE: layer.gated },
    });
    return { tensor: y, slope: null };
  }

  /** W times tangents that first pass the activation before it. */
  #recordImage(r: Recorder, index: number, { tensor, slope }: Tangents, table: TableTensor): TiledTensor {
    const { layer, packed } = this.#layers[index]!;
    const blocks = tensor!.features / layer.inputs;
    let x = tensor!;
    if (slope) {
      x = r.tiled(tensor!.features, 'tangents');
      r.run(scaleTangents, { buffers: { x: tensor!, slope, y: x }, params: { features: layer.inputs, blocks } });
    }
    const image = r.tiled(blocks * layer.outputs, 'tangents');
    const bias = layer.gated ? { bias: this.#gate(r, index, table) } : {};
    recordLinear(r, packed, x, image, { label: `${index} tangents`, blocks, scaled: layer.gated, ...bias });
    return image;
  }

  /** The last layer's part: the diagonal of its product with the tangents, or eps^T J eps of each probe. */
  #recordTrace(r: Recorder, tangents: Tangents, { table, probes, slopes, at }: Evaluation): void {
    const { dim } = this;
    const index = this.#layers.length - 1;
    const { layer, padded } = this.#layers[index]!;
    const into = { total_features: slopes.features, total_at: at + dim };
    if (probes) {
      const count = probes.features / dim;
      r.run(divergence.probeSum, {
        buffers: { tangents: probes, image: this.#recordImage(r, index, tangents, table), total: slopes },
        params: { ...UNUSED, ...into, dim, hidden: count, factor: 1 / count },
      });
      return;
    }
    r.run(divergence.trace, {
      buffers: {
        tangents: tangents.tensor!,
        slope: tangents.slope ?? NONE,
        weight: r.constant(this.#byRows, `weight ${index} by rows`),
        scale: this.#gate(r, index, table),
        total: slopes,
      },
      params: { ...UNUSED, ...into, dim, hidden: layer.inputs, scale_at: padded },
      constants: { SCALE: layer.gated, SLOPE: tangents.slope !== null },
    });
  }

  /** Table of 0, scale, 0 for tangents of a gated layer. */
  #gate(r: Recorder, index: number, table: TableTensor): Tensor {
    const { layer, tangentAt } = this.#layers[index]!;
    return layer.gated ? r.slice(table, tangentAt) : NONE;
  }
}
