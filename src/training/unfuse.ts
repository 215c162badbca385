// Fused kernels have no derivative rule. Before differentiation each is replayed as the kernels it fuses, which have one.

import { ACTIVATION_NUMBER, activation } from '../kernels/activation.js';
import { diagonalAffine } from '../kernels/diagonal-affine.js';
import { maskedLinear } from '../kernels/masked-linear.js';
import { multiplyAdd } from '../kernels/multiply-add.js';
import type { Command } from '../runtime/program.js';
import type { Recorder } from '../runtime/recorder.js';
import { type ConstantTensor, NONE, type Tensor, type TiledTensor } from '../runtime/tensor.js';

/** Replays commands on `r`, fused ones in parts. */
export function replayUnfused(r: Recorder, commands: readonly Command[]): void {
  r.adopt(commands);
  for (const command of commands) {
    const { ACTIVATION, GATE, RAW, SCALE } = command.constants;
    if (command.kernel.source === maskedLinear.source && (ACTIVATION || GATE || RAW || SCALE)) replayLinear(r, command);
    else r.replay(command);
  }
}

/** y = activation(norm(gate · (W x + b) + addend)), step by step; `raw` takes the value before the norm. */
function replayLinear(r: Recorder, { label, tensors, params, constants }: Command): void {
  const { outputs, y_at, y_features } = params as { outputs: number; y_at: number; y_features: number };
  if (y_at !== 0 || y_features !== outputs) throw new TypeError(`${label}: a fused layer that writes a slice cannot be taken apart`);
  const { y, raw, gate, addend, bias } = tensors as Record<string, TiledTensor>;
  r.scope(label.slice(label.indexOf('/') + 1), () => {
    // The steps after the product that apply, last one first: the last writes y, and the one before the norm writes `raw`.
    const gated = constants.GATE === true;
    const normed = constants.SCALE === true;
    const activated = constants.ACTIVATION !== ACTIVATION_NUMBER.identity;
    const beforeNorm = constants.RAW ? raw! : normed || activated ? r.tiled(outputs, 'sum') : y!;
    const product = gated ? r.tiled(outputs, 'product') : beforeNorm;
    r.run(maskedLinear, {
      buffers: {
        ...(tensors as Record<'x' | 'weight' | 'bias' | 'ranges' | 'addend', Tensor>),
        gate: NONE,
        y: product,
        raw: r.tiled(1, 'unused'),
      },
      params: { ...params, raw_features: 1 } as never,
      constants: { ADDEND: constants.ADDEND === true && !gated },
    });
    if (gated) {
      const open = r.tiled(outputs, 'open gate');
      recordActivation(r, ACTIVATION_NUMBER.sigmoid, gate!, open);
      recordProduct(r, product, open, beforeNorm, false);
      if (constants.ADDEND) recordProduct(r, addend!, null, beforeNorm, true);
    }
    let value = beforeNorm;
    if (normed) {
      value = activated ? r.tiled(outputs, 'normed') : y!;
      r.run(diagonalAffine, {
        buffers: {
          x: beforeNorm,
          constants: r.constant(normOf(bias as unknown as ConstantTensor, outputs), 'norm'),
          y: value,
        },
        params: { features: outputs },
      });
    }
    if (activated) recordActivation(r, Number(constants.ACTIVATION), value, y!);
    else if (value !== y) recordProduct(r, value, null, y!, false);
  });
}

function recordActivation(r: Recorder, kind: number, source: TiledTensor, value: TiledTensor): void {
  r.run(activation, {
    buffers: { source, value, slope: r.tiled(1, 'unused') },
    params: { features: source.features, beta: 0 },
    constants: { ACTIVATION: kind, HAS_VALUE: true, HAS_SLOPE: false },
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

const norms = new WeakMap<ConstantTensor['data'], Float32Array<ArrayBuffer>>();

/** The norm's scale and shift, which lie beside the bias, as diagonal-affine reads them: [center, factor, its remainder, shift]. */
function normOf({ data }: ConstantTensor, outputs: number): Float32Array<ArrayBuffer> {
  let constants = norms.get(data);
  if (!constants) {
    const padded = data.length / 3;
    constants = new Float32Array(4 * outputs);
    const bits = new Uint32Array(constants.buffer);
    for (let f = 0; f < outputs; f++) {
      const factor = data[padded + f]!;
      constants[outputs + f] = factor;
      bits[outputs + f]! &= 0xfffff000; // shaders/diagonal-affine.wgsl: the leading 12 bits
      constants[2 * outputs + f] = factor - constants[outputs + f]!;
      constants[3 * outputs + f] = data[2 * padded + f]!;
    }
    norms.set(data, constants);
  }
  return constants;
}
