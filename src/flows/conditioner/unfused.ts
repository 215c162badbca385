// A stage of a conditioner in kernels that have derivative rules: the product, then each step that masked-linear would have fused.

import { ACTIVATION_NUMBER, type Activation, activation } from '../../kernels/activation.js';
import { diagonalAffine } from '../../kernels/diagonal-affine.js';
import { multiplyAdd } from '../../kernels/multiply-add.js';
import type { Recorder } from '../../runtime/recorder.js';
import { NONE, type TiledTensor } from '../../runtime/tensor.js';
import { splitFactor } from '../bijectors/diagonal-affine.js';
import { type PackedLinear, recordLinear } from './packing.js';

export interface UnfusedStage {
  readonly packed: PackedLinear;
  readonly x: TiledTensor;
  readonly y: TiledTensor;
  readonly yAt: number;
  readonly gate: TiledTensor | null;
  readonly addend: TiledTensor | null;
  readonly scaled: boolean;
  readonly activation: Activation;
}

/** Records y = activation(norm(gate · (W x + b) + addend)); returns the value before the norm, which a later stage may add. */
export function recordUnfused(r: Recorder, stage: UnfusedStage): TiledTensor {
  const { packed, x, y, yAt, gate, addend, scaled } = stage;
  const { outputs } = packed;
  const activated = stage.activation !== 'identity';
  /** The stage's own tensor for its last step; scratch for those before. */
  const next = (last: boolean, label: string) => (last ? { tensor: y, at: yAt } : { tensor: r.tiled(outputs, label), at: 0 });

  let value = next(!gate && !scaled && !activated, 'product');
  recordLinear(r, packed, x, value.tensor, { label: 'product', yAt: value.at, addend: gate ? null : addend });
  if (gate) {
    const gated = next(!scaled && !activated, 'gated');
    if (gated.at !== 0 || gated.tensor.features !== outputs) throw new Error(`${r.place}: a gated stage has no slice to write to`);
    const open = r.tiled(outputs, 'open gate');
    recordActivation(r, 'sigmoid', gate, open);
    recordProduct(r, value.tensor, open, gated.tensor, false);
    if (addend) recordProduct(r, addend, null, gated.tensor, true);
    value = gated;
  }
  const raw = value.tensor;
  if (scaled) {
    const normed = next(!activated, 'normed');
    r.run(diagonalAffine, {
      buffers: { x: value.tensor, constants: r.constant(normOf(packed), 'norm'), y: normed.tensor, log_det: r.tiled(1, 'unused') },
      params: { features: outputs, log_abs_det: 0 },
      constants: { HAS_LOG_DET: false },
    });
    value = normed;
  }
  if (activated) recordActivation(r, stage.activation, value.tensor, y);
  return raw;
}

function recordActivation(r: Recorder, kind: Activation, source: TiledTensor, value: TiledTensor): void {
  r.run(activation, {
    buffers: { source, value, slope: r.tiled(1, 'unused') },
    params: { features: source.features, beta: 0 },
    constants: { ACTIVATION: ACTIVATION_NUMBER[kind], HAS_VALUE: true, HAS_SLOPE: false },
  });
}

function recordProduct(r: Recorder, a: TiledTensor, b: TiledTensor | null, y: TiledTensor, add: boolean): void {
  const { features } = a;
  r.run(multiplyAdd, {
    buffers: { a, b: b ?? NONE, y },
    params: { features, a_features: features, a_at: 0, b_features: b ? features : 1, y_features: features, y_at: 0, factor: 1 },
    constants: { HAS_B: b !== null, ADD: add },
  });
}

const norms = new WeakMap<PackedLinear, Float32Array<ArrayBuffer>>();

/** The norm's scale and shift as diagonal-affine reads them. */
function normOf(packed: PackedLinear): Float32Array<ArrayBuffer> {
  let constants = norms.get(packed);
  if (!constants) {
    const { outputs, bias } = packed;
    const padded = bias.length / 3;
    constants = new Float32Array(4 * outputs);
    for (let f = 0; f < outputs; f++) {
      const [leading, rest] = splitFactor(bias[padded + f]!);
      constants.set([leading], outputs + f);
      constants.set([rest], 2 * outputs + f);
      constants.set([bias[2 * padded + f]!], 3 * outputs + f);
    }
    norms.set(packed, constants);
  }
  return constants;
}
