// Elementwise steps of the way back that the product before them takes along: a dispatch and a tensor less each.

import { activationBackward } from '../kernels/activation-backward.js';
import { linearInput, SLOPES } from '../kernels/linear-input-backward.js';
import type { Command } from '../runtime/program.js';
import type { TiledTensor } from '../runtime/tensor.js';

/** Commands that read or write each tensor, in order. */
function usersOf(commands: readonly Command[]): Map<number, Command[]> {
  const users = new Map<number, Command[]>();
  for (const command of commands)
    for (const id of new Set(Object.values(command.tensors).flatMap((tensor) => (tensor.kind === 'tiled' ? [tensor.id] : []))))
      users.set(id, [...(users.get(id) ?? []), command]);
  return users;
}

/** The commands, with slopes of activations in the products whose results they alone read. */
export function joined(commands: readonly Command[]): readonly Command[] {
  const users = usersOf(commands);
  /** By what is left out, and by what takes its place. */
  const taken = new Map<Command, Command | null>();
  for (const step of commands) {
    const { ACTIVATION, FROM_VALUE, ADD, HAS_SLOPE, HAS_BETA } = step.constants;
    if (step.kernel.source !== activationBackward.source || !FROM_VALUE || ADD || HAS_SLOPE || HAS_BETA) continue;
    const { d_value: value, source, d_source: y } = step.tensors as Record<string, TiledTensor>;
    const [product, reader, ...others] = users.get(value!.id)!;
    if (reader !== step || others.length > 0 || product!.kernel.source !== linearInput.source || !SLOPES.has(Number(ACTIVATION))) continue;
    const { outputs, y_features, y_at, blocks } = product!.params as Record<string, number>;
    if (product!.stage !== step.stage || blocks !== 1 || y_at !== 0 || y_features !== outputs) continue;
    taken.set(product!, { ...product!, tensors: { ...product!.tensors, source: source!, y: y! }, constants: { ACTIVATION: ACTIVATION! } });
    taken.set(step, null);
  }
  return commands.flatMap((command) => {
    const other = taken.get(command);
    return other === undefined ? [command] : (other ?? []);
  });
}
