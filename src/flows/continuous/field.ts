// A vector field f(t, x): a multilayer perceptron whose biases, and gates where it has them, depend on the time. What depends on the
// time is computed on the host in float64 and rounded once, one table an evaluation; weights are packed once and shared by all.

import { ACTIVATION_NUMBER, type Activation, activation } from '../../kernels/activation.js';
import { divergence } from '../../kernels/divergence.js';
import { STRIP } from '../../kernels/masked-linear.js';
import { scaleTangents } from '../../kernels/scale-tangents.js';
import type { Recorder } from '../../runtime/recorder.js';
import { type ConstantTensor, type ExternalTensor, NONE, SLICE, type TiledTensor } from '../../runtime/tensor.js';
import { identityOrder, type PackedLinear, packLinear, recordLinear } from '../conditioner/packing.js';

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
    const first = layers[0]!.outputs;
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
    const params = { dim, hidden: own.probes, scale_at: 0, total_features: 1, total_at: 0, stream: own.stream, factor: 1 };
    r.run(divergence.probes, { buffers: { y }, params, constants: { RADEMACHER: own.type === 'rademacher' } });
    return y;
  }

  /** Records slopes = f(t, point), and after them the divergence where wanted. */
  recordEvaluation(r: Recorder, { point, table, context, probes, slopes, at, withDivergence }: Evaluation): void {
    const { dim } = this;
    const depth = this.#layers.length;
    const blocks = probes ? probes.features / dim : dim;
    let h = point;
    let tangents: TiledTensor | null = probes;
    let slope: TiledTensor | null = null; // of the activation that the tangents have not passed yet
    for (const [index, { layer, packed, tableAt, tangentAt, padded }] of this.#layers.entries()) {
      const { outputs, gated } = layer;
      const last = index === depth - 1;
      const bias = r.slice(table, tableAt);
      const addend = index === 0 ? context : null;
      const given = { bias, scaled: gated, addend };
      const gate = gated ? r.slice(table, tangentAt) : NONE;
      const y = last ? slopes : r.tiled(outputs, `hidden ${index}`);
      if (last) recordLinear(r, packed, h, y, { ...given, label: `${index}`, yAt: at });
      else if (!withDivergence) recordLinear(r, packed, h, y, { ...given, label: `${index}`, activation: this.#activation });
      const before = slope;
      if (withDivergence && !last) {
        const source = r.tiled(outputs, `raw ${index}`);
        recordLinear(r, packed, h, source, { ...given, label: `${index}` });
        slope = r.tiled(outputs, `slope ${index}`);
        r.run(activation, {
          buffers: { source, value: y, slope },
          params: { features: outputs, beta: 1 },
          constants: { ACTIVATION: ACTIVATION_NUMBER[this.#activation], HAS_VALUE: true, HAS_SLOPE: true },
        });
      }
      h = y;
      if (!withDivergence) continue;
      const shared = { dim, scale_at: gated ? padded : 0, total_features: slopes.features, total_at: at + dim, stream: 0 };
      const passed = (x: TiledTensor, through: TiledTensor): TiledTensor => {
        const scaled = r.tiled(x.features, 'tangents');
        r.run(scaleTangents, { buffers: { x, slope: through, y: scaled }, params: { features: through.features, blocks } });
        return scaled;
      };
      const product = (x: TiledTensor): TiledTensor => {
        const image = r.tiled(blocks * outputs, 'tangents');
        recordLinear(r, packed, x, image, { label: `${index} tangents`, blocks, scaled: gated, ...(gated && { bias: gate }) });
        return image;
      };
      if (last && probes) {
        // eps^T J eps, and the mean over the probes.
        const image = product(before ? passed(tangents!, before) : tangents!);
        r.run(divergence.probeSum, {
          buffers: { tangents: probes, image, total: slopes },
          params: { ...shared, hidden: blocks, factor: 1 / blocks },
        });
      } else if (last) {
        r.run(divergence.trace, {
          buffers: {
            tangents: tangents!,
            slope: before ?? NONE,
            weight: r.constant(layer.weight as Float32Array<ArrayBuffer>, `weight ${index} by rows`),
            scale: gate,
            total: slopes,
          },
          params: { ...shared, hidden: layer.inputs, factor: 1 },
          constants: { SCALE: gated, SLOPE: before !== null },
        });
      } else if (index === 0 && !probes) {
        // Tangents of the unit vectors: columns of the weight.
        const y = r.tiled(dim * outputs, 'tangents');
        r.run(divergence.firstTangents, {
          buffers: { slope: slope!, weight: r.constant(this.#columns(), 'weight 0 by columns'), scale: gate, y },
          params: { ...shared, hidden: outputs, factor: 1 },
          constants: { SCALE: gated },
        });
        tangents = y;
        slope = null;
      } else {
        tangents = product(before ? passed(tangents!, before) : tangents!);
      }
    }
  }

  #byColumns: Float32Array<ArrayBuffer> | null = null;

  /** First layer's weight as [inputs, outputs]. */
  #columns(): Float32Array<ArrayBuffer> {
    const { inputs, outputs, weight } = this.#layers[0]!.layer;
    this.#byColumns ??= Float32Array.from(
      { length: inputs * outputs },
      (_, i) => weight[(i % outputs) * inputs + Math.floor(i / outputs)]!,
    );
    return this.#byColumns;
  }
}
