// Ops whose transformer is a mixture of Gaussians. The net's outputs are viewed [features, K, 3] = (logit, mean, s), as nflows does.

import { FormatError } from '../../runtime/errors.js';
import { MixtureTransformer } from '../transformers/mixture.js';
import { autoregressive, coupling, type Layout } from './conditioner.js';
import type { BuildContext, OpBuilders } from './op.js';

interface MixtureOp {
  readonly components: number;
  readonly eps: number;
}

function transformerOf({ components, eps }: MixtureOp, { place }: BuildContext): MixtureTransformer {
  if (!(Math.fround(eps) > 0)) throw new FormatError(`${place}.eps`, `needs a number above 0, the least deviation; got ${eps}`);
  return new MixtureTransformer(components, eps);
}

const layoutOf = ({ components }: MixtureOp): Layout => ({
  view: 'by slot',
  places: Array.from({ length: 3 * components }, (_, p) => 3 * (p % components) + Math.floor(p / components)),
});

export const mixtureOps = {
  ar_mixture: (op, context) => autoregressive(op.net, transformerOf(op, context), context, layoutOf(op)),
  coupling_mixture: (op, context) => coupling(op.net, op, transformerOf(op, context), context, layoutOf(op)),
} satisfies OpBuilders;
