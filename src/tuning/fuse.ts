// Which runs of a program's commands fuse.

import { memo } from '../runtime/memo.js';
import type { Program } from '../runtime/program.js';
import { fuseNet } from './fuse-net.js';
import { fuseSolves } from './fuse-solves.js';
import { type Fusion, usersOf } from './fusion.js';
import { quadFusionsIn } from './quad-fusions.js';

const found = new WeakMap<Program, readonly Fusion[]>();

/** Of those that share a part the first is taken: a solve by blocks before one of several layers. The same objects for the same program. */
export const fusionsOf = (program: Program): readonly Fusion[] =>
  memo(found, program, () => {
    const { commands } = program;
    const users = usersOf(commands);
    return [
      ...commands.flatMap((_, index) => fuseNet(commands, users, index) ?? []),
      ...quadFusionsIn(program),
      ...fuseSolves(commands, users),
    ];
  });
