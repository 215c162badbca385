// A thin net, the affine transformer that it parameterises, and the sum of its log-det terms, as one command: a small coupling.

import { thinNet } from '../kernels/thin-net.js';
import { thinNetAffine } from '../kernels/thin-net-affine.js';
import type { Kernel } from '../runtime/kernel.js';
import { memo } from '../runtime/memo.js';
import type { Command, Program } from '../runtime/program.js';
import { affineBehind } from './affine-behind.js';
import { thinNetsIn } from './fuse-thin-nets.js';
import { type Fusion, inOrder, mayRunAt, type Users, unusedTensor, usersOf } from './fusion.js';

export const thinAffineKernel = thinNetAffine as unknown as Kernel;

/** Features at most, by the bits of a place. */
const MOST_FEATURES = 8;

/** Four bits a feature. */
const packed = (features: readonly number[]): number => features.reduce((bits, feature, i) => bits + feature * 16 ** i, 0);

/** @param nets by their last part. */
function fuseThinAffine(commands: readonly Command[], users: Users, nets: ReadonlyMap<Command, Fusion>, end: number): Fusion | null {
  const behind = affineBehind(commands, users, end);
  if (!behind) return null;
  const net = nets.get(commands[behind.maker]!);
  if (!net?.command.params.back || behind.params.features > MOST_FEATURES) return null;
  const { params, constants, tensors } = net.command;
  // Parameters are whole tensors of the layer behind alone.
  if (params.back !== commands[end]!.params.parameter_features || params.y_features !== params.back || params.y_at !== 0) return null;
  const layers = net.parts.map((part) => commands.indexOf(part));
  if (commands[behind.maker]!.constants.ACTIVATION || !mayRunAt(commands, layers, end)) return null;
  const { KEEP } = behind.constants;
  return {
    parts: inOrder(commands, [...net.parts, ...behind.parts]),
    command: {
      label: commands[end]!.label.replace(/[^/]*$/, thinNetAffine.source.name),
      kernel: thinAffineKernel,
      tensors: { ...tensors, ...behind.tensors, y: KEEP ? behind.parameters : unusedTensor(behind.parameters, 1) },
      params: {
        ...params,
        ...behind.params,
        y_features: KEEP ? params.y_features! : 1,
        read_places: packed(behind.places.map(([from]) => from)),
        left_places: packed(behind.places.map(([, to]) => to)),
      },
      constants: { ...constants, ...behind.constants, ACTIVATION: constants.ACTIVATION! },
    },
  };
}

const found = new WeakMap<Program, readonly Fusion[]>();

/** In the order of the program; the same objects for the same program. */
export const thinAffinesIn = (program: Program): readonly Fusion[] =>
  memo(found, program, () => {
    const { commands } = program;
    const forward = thinNetsIn(program).filter(({ command }) => command.kernel.source === (thinNet.source as unknown));
    const nets = new Map(forward.map((net) => [net.parts.at(-1)!, net]));
    const users = usersOf(commands);
    return commands.flatMap((_, index) => fuseThinAffine(commands, users, nets, index) ?? []);
  });
