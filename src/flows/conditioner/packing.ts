// Orders of a layer's units, and the one place that records masked-linear.

import { ACTIVATION_NUMBER, type Activation } from '../../kernels/activation.js';
import { identityOrder, type PackedLinear } from '../../kernels/linear-strips.js';
import { maskedLinear } from '../../kernels/masked-linear.js';
import type { Recorder } from '../../runtime/recorder.js';
import { NONE, type Tensor, type TiledTensor } from '../../runtime/tensor.js';

export { identityOrder, type LinearSource, type PackedLinear, packLinear } from '../../kernels/linear-strips.js';

/** Indices by ascending key; equal keys keep their order. */
export const orderBy = (keys: ArrayLike<number>): Uint32Array<ArrayBuffer> =>
  identityOrder(keys.length).sort((a, b) => keys[a]! - keys[b]! || a - b);

/** What may follow the product; see shaders/masked-linear.wgsl. */
export interface LinearEpilogue {
  readonly label: string;
  readonly activation?: Activation;
  /** Feature of `x` at which the inputs begin. Default 0. */
  readonly xAt?: number;
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
  /** In place of the packed weight. */
  readonly weight?: Tensor;
}

/** Records the product of a context, plus `addend`, for a layer to add. */
export function recordContextTerm(
  r: Recorder,
  packed: PackedLinear,
  context: TiledTensor | null,
  addend: TiledTensor | null = null,
): TiledTensor {
  const label = 'context term';
  const y = r.tiled(packed.outputs, label);
  recordLinear(r, packed, context!, y, { label, addend });
  return y;
}

/** Records y = activation(norm(gate · (W x + b) + addend)). */
export function recordLinear(r: Recorder, packed: PackedLinear, x: TiledTensor, y: TiledTensor, epilogue: LinearEpilogue): void {
  const {
    label,
    activation = 'identity',
    xAt = 0,
    yAt = 0,
    gate = null,
    addend = null,
    raw = null,
    scaled = false,
    blocks = 1,
    bias,
    weight,
  } = epilogue;
  r.run(maskedLinear, {
    buffers: {
      x,
      weight: weight ?? { ...r.constant(packed.weight, `weight ${label}`, packed.origin), parts: packed.parts ?? null },
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
      x_at: xAt,
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
