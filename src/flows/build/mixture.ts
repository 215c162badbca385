// Ops whose transformer is a mixture of Gaussians. The net's outputs are viewed [features, K, 3] = (logit, mean, s), as nflows does.

import { Autoregressive } from '../bijectors/autoregressive.js';
import { Coupling } from '../bijectors/coupling.js';
import type { Conditioner, Stage } from '../conditioner/conditioner.js';
import { MixtureTransformer } from '../transformers/mixture.js';
import { checkOutputs, headOf } from './autoregressive.js';
import { contextOf, couplingStages } from './coupling.js';
import { needs } from './needs.js';
import { buildNet } from './nets.js';
import type { BuildContext, OpBuilders } from './op.js';

interface MixtureOp {
  readonly components: number;
  readonly eps: number;
}

function partsOf({ components, eps }: MixtureOp, stages: Stage[], slots: number, { inputs, contextDim, place }: BuildContext) {
  needs(Math.fround(eps) > 0, `${place}.eps`, 'a number above 0, the least deviation', eps);
  const last = stages.length - 1;
  checkOutputs(stages, last, 3 * components * slots, place);
  const heads = Array.from({ length: 3 * components }, (_, p) =>
    headOf(last, slots, 3 * (p % components) + Math.floor(p / components), 3 * components),
  );
  const conditioner: Conditioner = { inputs, contextDim: contextOf(stages, contextDim), stages, heads };
  return [conditioner, new MixtureTransformer(components, eps)] as const;
}

export const mixtureOps = {
  ar_mixture(op, context) {
    const stages = buildNet(context.state, op.net, context, `${context.place}.net`);
    return new Autoregressive(...partsOf(op, stages, context.inputs, context));
  },

  coupling_mixture(op, context) {
    const stages = couplingStages(op.net, op.identity, context);
    return new Coupling(context.inputs, ...partsOf(op, stages, op.transform.length, context), op.transform);
  },
} satisfies OpBuilders;
