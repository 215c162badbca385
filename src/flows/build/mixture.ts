// Ops whose transformer is a mixture of Gaussians. The net's outputs are viewed [features, K, 3] = (logit, mean, s), as nflows does.

import { needs } from '../../format/needs.js';
import { MixtureTransformer } from '../transformers/mixture.js';
import { autoregressive, coupling, type Layout } from './conditioner.js';
import type { BuildContext, OpBuilders } from './op.js';

interface MixtureOp {
  readonly components: number;
  readonly eps: number;
}

function transformerOf({ components, eps }: MixtureOp, { place }: BuildContext): MixtureTransformer {
  needs(Math.fround(eps) > 0, `${place}.eps`, 'a number above 0, the least deviation', eps);
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
