// Ops that set features aside: levels of a multi-scale flow.

import { Split } from '../bijectors/multiscale.js';
import type { OpBuilders } from './op.js';

export const structureOps = {
  split: (op, { inputs: dim, rest }) => new Split(dim, op.latent, rest(dim - op.latent.length)),
} satisfies OpBuilders;
