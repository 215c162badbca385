// Reverse mode over what a recorder holds: the commands are walked backwards, and each kernel's derivative rule records more commands.

import { fill } from '../kernels/fill.js';
import type { Gradients, GradientTarget } from '../runtime/derivative.js';
import type { Command } from '../runtime/program.js';
import type { Recorder } from '../runtime/recorder.js';
import type { Tensor, TiledTensor } from '../runtime/tensor.js';
import { ruleOf } from './rules.js';

/** Ids of the tensors that depend on a wanted one: nothing else needs a gradient. */
function dependents(commands: readonly Command[], wanted: readonly TiledTensor[]): Set<number> {
  const ids = new Set(wanted.map(({ id }) => id));
  for (const { kernel, tensors } of commands) {
    const names = Object.keys(kernel.source.buffers);
    if (!names.some((name) => isIn(ids, tensors[name]))) continue;
    for (const name of names) {
      const tensor = tensors[name]!;
      if (kernel.source.buffers[name]!.access === 'read_write' && tensor.kind === 'tiled') ids.add(tensor.id);
    }
  }
  return ids;
}

const isIn = (ids: ReadonlySet<number>, tensor: Tensor | undefined): tensor is TiledTensor =>
  tensor?.kind === 'tiled' && ids.has(tensor.id);

/**
 * Records d (Σ over rows of factor · output) / d wanted, for each wanted tensor; null for one that the output does not depend on. Call it
 * after the commands that computed `output` were recorded, fused ones in parts (unfuse.ts).
 *
 * @param output tiled [1, rows]. @throws UnsupportedError for a command whose kernel has no derivative rule.
 */
export function recordGradients(r: Recorder, output: TiledTensor, factor: number, wanted: readonly TiledTensor[]): (TiledTensor | null)[] {
  const commands = r.commands;
  const active = dependents(commands, wanted);
  const gradients = new Map<number, TiledTensor>();
  const fresh = (tensor: TiledTensor): TiledTensor => {
    const gradient = r.tiled(tensor.features, `d ${tensor.label}`);
    gradients.set(tensor.id, gradient);
    return gradient;
  };
  const zeroed = (destination: TiledTensor, value: number) =>
    r.run(fill, { buffers: { destination }, params: { features: destination.features, value } });

  return r.scope('gradient', () => {
    zeroed(fresh(output), factor);
    for (const command of commands.toReversed()) {
      const { kernel, tensors } = command;
      const { buffers } = kernel.source;
      const names = Object.keys(buffers).filter((name) => isIn(active, tensors[name]));
      const reached = names.some((name) => buffers[name]!.access === 'read_write' && gradients.has((tensors[name] as TiledTensor).id));
      if (!reached || names.every((name) => buffers[name]!.access === 'read_write')) continue; // a constant, or a source itself
      const rule = ruleOf(command);
      const around: Gradients = {
        of: (name) => (isIn(active, tensors[name]) ? (gradients.get((tensors[name] as TiledTensor).id) ?? null) : null),
        into(name, partial = false): GradientTarget | null {
          const tensor = tensors[name];
          if (!isIn(active, tensor)) return null;
          const known = gradients.get(tensor.id);
          if (known) return { tensor: known, add: true };
          const target = fresh(tensor);
          if (partial) zeroed(target, 0);
          return { tensor: target, add: partial };
        },
      };
      r.scope(command.label.slice(command.label.indexOf('/') + 1), () =>
        rule.record(r, { buffers: tensors, params: command.params, constants: command.constants as never }, around),
      );
    }
    return wanted.map(({ id }) => gradients.get(id) ?? null);
  });
}
