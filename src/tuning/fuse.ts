// Which runs of a program's commands fuse, and the program with some of them fused.

import { memo } from '../runtime/memo.js';
import { type Command, createProgram, type Program } from '../runtime/program.js';
import { fuseNet } from './fuse-net.js';
import { fuseSolves } from './fuse-solves.js';
import { type Fusion, usersOf } from './fusion.js';

const found = new WeakMap<Program, readonly Fusion[]>();

/** In the order of the program; the same objects for the same program. */
export const fusionsOf = (program: Program): readonly Fusion[] =>
  memo(found, program, () => {
    const { commands } = program;
    const users = usersOf(commands);
    return [...commands.flatMap((_, index) => fuseNet(commands, users, index) ?? []), ...fuseSolves(commands, users)];
  });

/** The program with those runs fused that are accepted. */
export function fuse(program: Program, accepts: (fusion: Fusion) => boolean): Program {
  const accepted = fusionsOf(program).filter(accepts);
  if (accepted.length === 0) return program;
  const instead = new Map<Command, readonly Command[]>();
  for (const { parts, command } of accepted) for (const part of parts) instead.set(part, part === parts.at(-1) ? [command] : []);
  return createProgram(program.commands.flatMap((command) => instead.get(command) ?? [command]));
}
