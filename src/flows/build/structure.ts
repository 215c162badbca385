// Ops that set features aside: levels of a multi-scale flow.

import { Permutation } from '../bijectors/permutation.js';
import { identityOrder } from '../conditioner/packing.js';
import type { OpBuilders } from './op.js';

export const structureOps = {
  // What goes on comes to the front, where the narrower layers after it act.
  split(op, { inputs: dim, reshape }) {
    const others = [...identityOrder(dim)].filter((f) => !op.latent.includes(f));
    reshape([others.length], 'first');
    return new Permutation([...others, ...op.latent]);
  },
} satisfies OpBuilders;
