// Fused kernels have no derivative rule. Before differentiation each is replayed as the kernels it fuses, which have one.

import { ACTIVATION_NUMBER } from '../kernels/activation.js';
import { recordActivation, VALUE_NUMBER } from '../kernels/activation-backward.js';
import { gate } from '../kernels/gate-backward.js';
import { STRIP } from '../kernels/linear-strips.js';
import { maskedLinear } from '../kernels/masked-linear.js';
import { multiplyAdd } from '../kernels/multiply-add.js';
import { ceilDiv } from '../runtime/kernel.js';
import type { Command } from '../runtime/program.js';
import { Recorder } from '../runtime/recorder.js';
import { type ConstantTensor, NONE, type Tensor, type TiledTensor } from '../runtime/tensor.js';
import { type Parts, recordBasis, recordNorm, recordRowParameters, stageInParts } from './parts.js';
import { replaySolve } from './solve-parts.js';

/** The commands, fused ones in parts. @param starts takes where the parts of each begin, and their end. */
export function unfused(commands: readonly Command[], starts: number[] = []): readonly Command[] {
  const r = new Recorder();
  r.adopt(commands);
  for (const command of commands) {
    starts.push(r.commands.length);
    const { ACTIVATION, GATE, RAW, SCALE, PER_ROW } = command.constants;
    const scope = (record: () => void) => r.scope(command.label.slice(command.label.indexOf('/') + 1), record);
    const weight = command.tensors.weight as ConstantTensor | undefined;
    const parts = weight?.parts as Parts | null | undefined;
    const shared = command.tensors.parameters as ConstantTensor | undefined;
    if (PER_ROW === false && shared?.parts)
      scope(() => {
        const parameters = recordRowParameters(r, shared.parts as Float32Array);
        r.replay({
          ...command,
          tensors: { ...command.tensors, parameters },
          params: { ...command.params, parameter_features: parameters.features },
          constants: { ...command.constants, PER_ROW: true },
        });
      });
    else if (parts?.kind === 'basis') scope(() => recordBasis(r, parts, command));
    else if (parts?.kind === 'solve') replaySolve(r, command, parts);
    else if (command.kernel.source === maskedLinear.source && (GATE || RAW || SCALE || parts || (ACTIVATION && !hasRule(command))))
      scope(() => replayLinear(r, command, parts));
    else r.replay(command);
  }
  starts.push(r.commands.length);
  return r.commands;
}

/** Whether a layer with an activation has a rule as it is: the slope follows from y, all of which it writes. */
function hasRule({ constants, params }: Command): boolean {
  const { outputs, blocks, y_features } = params as Record<string, number>;
  return y_features === outputs! * blocks! && (Object.values(VALUE_NUMBER) as number[]).includes(Number(constants.ACTIVATION));
}

/** y = activation(norm(gate · (W x + b) + addend)), step by step; `raw` takes the value before the norm. */
function replayLinear(r: Recorder, { label, tensors, params, constants }: Command, parts: Parts | null | undefined): void {
  const { outputs, blocks, y_at, y_features } = params as Record<'outputs' | 'blocks' | 'y_at' | 'y_features', number>;
  const features = outputs * blocks;
  const stage = parts?.kind === 'norms' ? stageInParts(parts) : null;
  const gated = constants.GATE === true;
  const normed = constants.SCALE === true;
  const activated = constants.ACTIVATION !== ACTIVATION_NUMBER.identity;
  if ((y_at !== 0 || y_features !== features) && (activated || !normed || stage))
    throw new TypeError(`${label}: a fused layer that writes a slice cannot be taken apart`);
  const { x, y, raw, gate: opening, addend, bias } = tensors as Record<string, TiledTensor>;
  // The steps after the product that apply, last one first: the last writes y, and the one before the norm writes `raw`.
  const beforeNorm = constants.RAW ? raw! : normed || activated ? r.tiled(features, 'sum') : y!;
  const product = gated ? r.tiled(features, 'product') : beforeNorm;
  r.run(maskedLinear, {
    buffers: {
      ...(tensors as Record<'x' | 'weight' | 'bias' | 'ranges' | 'addend', Tensor>),
      ...(stage && { weight: r.constant(stage.packed.weight, 'weight'), bias: r.constant(stage.packed.bias, 'bias') }),
      ...(stage?.before && { x: recordNorm(r, x!, stage.before) }),
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
    if (stage?.after) recordNorm(r, beforeNorm, stage.after, value);
    else
      r.run(gate, {
        buffers: { x: beforeNorm, table: bias!, y: value },
        params: { features: outputs, blocks, x_features: features, x_at: 0, ...into, scale_at: padded, shift_at: 2 * padded },
        constants: { SHIFT: true },
      });
  }
  if (activated) recordActivation(r, Number(constants.ACTIVATION), value, y!);
  else if (value !== y) recordProduct(r, value, null, y!, false);
}

function recordProduct(r: Recorder, a: TiledTensor, b: TiledTensor | null, y: TiledTensor, add: boolean): void {
  const { features } = a;
  r.run(multiplyAdd, {
    buffers: { a, b: b ?? NONE, y },
    params: { features, a_features: features, a_at: 0, b_features: b ? features : 1, y_features: features, y_at: 0, factor: 1 },
    constants: { HAS_B: b !== null, ADD: add },
  });
}
