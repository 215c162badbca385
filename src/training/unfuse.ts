// Fused kernels have no derivative rule. Before differentiation each is replayed as the kernels it fuses, which have one.

import { ACTIVATION_NUMBER, recordActivation } from '../kernels/activation.js';
import { gate } from '../kernels/gate-backward.js';
import { maskedLinear, STRIP } from '../kernels/masked-linear.js';
import { multiplyAdd } from '../kernels/multiply-add.js';
import { ceilDiv } from '../runtime/kernel.js';
import type { Command } from '../runtime/program.js';
import type { Recorder } from '../runtime/recorder.js';
import { NONE, type Tensor, type TiledTensor } from '../runtime/tensor.js';

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
  const { outputs, blocks, y_at, y_features } = params as Record<'outputs' | 'blocks' | 'y_at' | 'y_features', number>;
  const features = outputs * blocks;
  const gated = constants.GATE === true;
  const normed = constants.SCALE === true;
  const activated = constants.ACTIVATION !== ACTIVATION_NUMBER.identity;
  if ((y_at !== 0 || y_features !== features) && (activated || !normed))
    throw new TypeError(`${label}: a fused layer that writes a slice cannot be taken apart`);
  const { y, raw, gate: opening, addend, bias } = tensors as Record<string, TiledTensor>;
  r.scope(label.slice(label.indexOf('/') + 1), () => {
    // The steps after the product that apply, last one first: the last writes y, and the one before the norm writes `raw`.
    const beforeNorm = constants.RAW ? raw! : normed || activated ? r.tiled(features, 'sum') : y!;
    const product = gated ? r.tiled(features, 'product') : beforeNorm;
    r.run(maskedLinear, {
      buffers: {
        ...(tensors as Record<'x' | 'weight' | 'bias' | 'ranges' | 'addend', Tensor>),
        gate: NONE,
        y: product,
        raw: r.tiled(1, 'unused'),
      },
      params: { ...params, y_at: 0, y_features: features, raw_features: 1 } as never,
      constants: { ADDEND: constants.ADDEND === true && !gated },
    });
    if (gated) {
      const open = r.tiled(outputs, 'open gate');
      recordActivation(r, ACTIVATION_NUMBER.sigmoid, opening!, open);
      recordProduct(r, product, open, beforeNorm, false);
      if (constants.ADDEND) recordProduct(r, addend!, null, beforeNorm, true);
    }
    let value = beforeNorm;
    if (normed) {
      value = activated ? r.tiled(features, 'normed') : y!;
      const padded = STRIP * ceilDiv(outputs, STRIP);
      const into = activated ? { y_features: features, y_at: 0 } : { y_features, y_at };
      r.run(gate, {
        buffers: { x: beforeNorm, table: bias!, y: value },
        params: { features: outputs, blocks, x_features: features, x_at: 0, ...into, scale_at: padded, shift_at: 2 * padded },
        constants: { SHIFT: true },
      });
    }
    if (activated) recordActivation(r, Number(constants.ACTIVATION), value, y!);
    else if (value !== y) recordProduct(r, value, null, y!, false);
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
