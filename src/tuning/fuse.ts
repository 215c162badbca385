// Which runs of a program's commands fuse.

import { memo } from '../runtime/memo.js';
import type { Program } from '../runtime/program.js';
import { inputAffinesIn } from './fuse-input-affine.js';
import { linearAffinesIn } from './fuse-linear-affine.js';
import { fuseNet } from './fuse-net.js';
import { fuseSolves } from './fuse-solves.js';
import { thinAffinesIn } from './fuse-thin-affine.js';
import { thinNetsIn } from './fuse-thin-nets.js';
import { type Fusion, usersOf } from './fusion.js';

const found = new WeakMap<Program, readonly Fusion[]>();

/** In the order of the program; the same objects for the same program. */
export const fusionsOf = (program: Program): readonly Fusion[] =>
  memo(found, program, () => {
    const { commands } = program;
    const users = usersOf(commands);
    return [
      ...commands.flatMap((_, index) => fuseNet(commands, users, index) ?? []),
      ...fuseSolves(commands, users),
      ...thinAffinesIn(program),
      ...thinNetsIn(program),
      ...linearAffinesIn(program),
      ...inputAffinesIn(program),
    ];
  });
