// Autoregressive ops with an affine transformer.

import type { NetDescription } from '../../format/description.js';
import { Autoregressive } from '../bijectors/autoregressive.js';
import { Inverse } from '../bijectors/chain.js';
import { AffineTransformer } from '../transformers/affine.js';
import { autoregressive, checkOutputs, contextOf, headOf, type Layout } from './conditioner.js';
import { buildNet } from './nets.js';
import type { BuildContext, OpBuilders, OpOf } from './op.js';
import { mixOf, scaleOf } from './scale.js';

const chunk: Layout = { view: 'by parameter', places: [0, 1] };
const scaleFirst: Layout = { view: 'by slot', places: [1, 0] };

/** `ptf_made_split` ends each of its two halves with a layer: shift, then scale. */
function affine(net: NetDescription, transformer: AffineTransformer, context: BuildContext, layout: Layout): Autoregressive {
  if (net.type !== 'ptf_made_split') return autoregressive(net, transformer, context, layout);
  const { inputs: dim, contextDim, state, place } = context;
  const stages = buildNet(state, net, context, `${place}.net`);
  const heads = [stages.length / 2 - 1, stages.length - 1].map((end) => {
    checkOutputs(stages, end, dim, place);
    return headOf(end, dim, 0, 1);
  });
  return new Autoregressive({ inputs: dim, contextDim: contextOf(stages, contextDim), stages, heads }, transformer);
}

/** @param divides the direction of form mu_s that the net reads: z = (x − t) / a as in MAF, or z = a x + t. */
function transformerOf(op: OpOf<'ar_affine' | 'iaf_affine' | 'iaf_scale_shift'>, place: string, divides: boolean): AffineTransformer {
  const settings = op.form === 'mu_s' ? ({ scale: 'exp', dividesForward: divides } as const) : scaleOf(op, place);
  return new AffineTransformer({ ...settings, ...mixOf(op, place) });
}

export const autoregressiveOps = {
  ar_affine(op, context) {
    // nflows' form; the others come from recipes.
    const interleaved = op.layout === 'interleaved' || (op.form === 'softplus' && op.layout === undefined);
    return affine(op.net, transformerOf(op, context.place, true), context, interleaved ? scaleFirst : chunk);
  },

  // The network of an IAF reads the noise: a MAF with its directions exchanged.
  iaf_affine: (op, context) => new Inverse(affine(op.net, transformerOf(op, context.place, false), context, chunk)),

  iaf_scale_shift: (op, context) => new Inverse(affine(op.net, transformerOf(op, context.place, false), context, scaleFirst)),
} satisfies OpBuilders;
