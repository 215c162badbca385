// Weights as the masked-linear kernel reads them: strips of 8 outputs, [strip, input, 8], with the run of inputs each strip needs; and
// the one place that records the kernel.

import { ACTIVATION_NUMBER, type Activation } from '../../kernels/activation.js';
import { maskedLinear, STRIP } from '../../kernels/masked-linear.js';
import type { Recorder } from '../../runtime/recorder.js';
import { NONE, type Tensor, type TiledTensor } from '../../runtime/tensor.js';

export interface PackedLinear {
  readonly inputs: number;
  readonly outputs: number;
  /** [ceil(outputs / 8), inputs, 8]. */
  readonly weight: Float32Array<ArrayBuffer>;
  /** [3, 8 ceil(outputs / 8)]: bias, norm scale, norm shift. */
  readonly bias: Float32Array<ArrayBuffer>;
  /** [ceil(outputs / 8), 2]: first input, and one past the last, that a strip's masks let through. */
  readonly ranges: Uint32Array<ArrayBuffer>;
}

export interface LinearSource {
  readonly weight: Float32Array;
  readonly mask: Uint8Array | null;
  readonly bias: Float32Array | null;
  readonly inputs: number;
  readonly norm?: { readonly scale: Float64Array; readonly shift: Float64Array } | null;
}

/**
 * Packs rows `outputOrder` of a linear layer, reading its inputs in the order `inputOrder`.
 *
 * @param outputOrder source row of each packed output; −1 for a padding row of zeros.
 * @param inputOrder source column of each packed input.
 */
export function packLinear(source: LinearSource, outputOrder: ArrayLike<number>, inputOrder: ArrayLike<number>): PackedLinear {
  const outputs = outputOrder.length;
  const inputs = inputOrder.length;
  const strips = Math.ceil(outputs / STRIP);
  const weight = new Float32Array(strips * inputs * STRIP);
  const bias = new Float32Array(3 * strips * STRIP);
  const ranges = new Uint32Array(strips * 2);
  for (let strip = 0; strip < strips; strip++) {
    let begin = inputs;
    let end = 0;
    for (let lane = 0; lane < STRIP; lane++) {
      const packed = strip * STRIP + lane;
      const row = packed < outputs ? outputOrder[packed]! : -1;
      if (row < 0) continue;
      bias[packed] = source.bias?.[row] ?? 0;
      bias[strips * STRIP + packed] = source.norm?.scale[row] ?? 1;
      bias[2 * strips * STRIP + packed] = source.norm?.shift[row] ?? 0;
      for (let k = 0; k < inputs; k++) {
        const at = row * source.inputs + inputOrder[k]!;
        if (source.mask !== null && source.mask[at] === 0) continue;
        weight[(strip * inputs + k) * STRIP + lane] = source.weight[at]!;
        if (k < begin) begin = k;
        if (k + 1 > end) end = k + 1;
      }
    }
    ranges[strip * 2] = Math.min(begin, end);
    ranges[strip * 2 + 1] = end;
  }
  return { inputs, outputs, weight, bias, ranges };
}

export const identityOrder = (count: number): Uint32Array<ArrayBuffer> => Uint32Array.from({ length: count }, (_, i) => i);

/** Indices by ascending key; equal keys keep their order. */
export const orderBy = (keys: ArrayLike<number>): Uint32Array<ArrayBuffer> =>
  identityOrder(keys.length).sort((a, b) => keys[a]! - keys[b]! || a - b);

/** What may follow the product; see shaders/masked-linear.wgsl. */
export interface LinearEpilogue {
  readonly label: string;
  readonly activation?: Activation;
  /** Feature of `y` at which the outputs begin. Default 0. */
  readonly yAt?: number;
  readonly gate?: TiledTensor | null;
  readonly addend?: TiledTensor | null;
  /** Takes the value before norm and activation. */
  readonly raw?: TiledTensor | null;
  /** Whether the packed norm applies. Default false. */
  readonly scaled?: boolean;
  /** How many inputs lie side by side in `x`, and outputs in `y`: tangents. No gate, addend or raw with more than one. Default 1. */
  readonly blocks?: number;
  /** In place of the packed bias, norm scale and norm shift: [3, 8 ceil(outputs / 8)], or the first of the three where not `scaled`. */
  readonly bias?: Tensor;
}

/** Records y = activation(norm(gate · (W x + b) + addend)). */
export function recordLinear(r: Recorder, packed: PackedLinear, x: TiledTensor, y: TiledTensor, epilogue: LinearEpilogue): void {
  const { label, activation = 'identity', yAt = 0, gate = null, addend = null, raw = null, scaled = false, blocks = 1, bias } = epilogue;
  r.run(maskedLinear, {
    buffers: {
      x,
      weight: r.constant(packed.weight, `weight ${label}`),
      bias: bias ?? r.constant(packed.bias, `bias ${label}`),
      ranges: r.constant(packed.ranges, `ranges ${label}`),
      addend: addend ?? NONE,
      gate: gate ?? NONE,
      y,
      raw: raw ?? r.tiled(1, 'unused'),
    },
    params: {
      inputs: packed.inputs,
      outputs: packed.outputs,
      x_features: x.features,
      x_at: 0,
      addend_features: addend?.features ?? 1,
      addend_at: 0,
      gate_features: gate?.features ?? 1,
      gate_at: 0,
      y_features: y.features,
      y_at: yAt,
      raw_features: raw?.features ?? 1,
      blocks,
    },
    constants: {
      ACTIVATION: ACTIVATION_NUMBER[activation],
      GATE: gate !== null,
      ADDEND: addend !== null,
      RAW: raw !== null,
      SCALE: scaled,
    },
  });
}
