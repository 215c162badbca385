// Autoregressive ops with an affine transformer. How a library lays out the net's outputs becomes two heads: shift, scale.

import type { NetDescription } from '../../format/description.js';
import { FormatError, UnsupportedError } from '../../runtime/errors.js';
import { Autoregressive } from '../bijectors/autoregressive.js';
import { Inverse } from '../bijectors/chain.js';
import { Coupling } from '../bijectors/coupling.js';
import { DiagonalAffine } from '../bijectors/diagonal-affine.js';
import type { Conditioner, Head } from '../conditioner/conditioner.js';
import { identityOrder } from '../conditioner/packing.js';
import { AffineTransformer } from '../transformers/affine.js';
import { buildContextNet, buildNet } from './nets.js';
import type { BuildContext, OpBuilders } from './op.js';
import { mixOf, scaleOf, softclip } from './scale.js';

export { softclip } from './scale.js';

/** Units first, first + step, … of a stage. */
export const headOf = (stage: number, slots: number, first: number, step: number): Head => ({
  stage,
  units: Uint32Array.from({ length: slots }, (_, slot) => first + slot * step),
});

/** @throws FormatError where the last layer of a net has not as many outputs as its heads read. */
export function checkOutputs(stages: Conditioner['stages'], stage: number, expected: number, place: string): void {
  const got = stages[stage]!.outputs;
  if (got !== expected) throw new FormatError(place, `the last layer of the net needs ${expected} outputs; got ${got}`);
}

/**
 * Heads over the outputs of a net: all slots' first parameters, then all second ones ('chunk'), or slot after slot.
 * @throws FormatError where the net has more outputs, or fewer.
 */
export function headsOf(
  stages: Conditioner['stages'],
  { slots, parameters = 2, layout }: { slots: number; parameters?: number; layout: 'chunk' | 'interleaved' },
  place: string,
): Head[] {
  const last = stages.length - 1;
  checkOutputs(stages, last, parameters * slots, place);
  const head = (p: number) => (layout === 'chunk' ? headOf(last, slots, p * slots, 1) : headOf(last, slots, p, parameters));
  return Array.from({ length: parameters }, (_, p) => head(p));
}

/** The context features that a net reads: all or none. */
export const contextOf = (stages: Conditioner['stages'], contextDim: number): number =>
  stages.some((stage) => stage.contexts.length > 0) ? contextDim : 0;

type Layout = 'chunk' | 'interleaved shift first' | 'interleaved scale first';

function conditionerOf(net: NetDescription, context: BuildContext, layout: Layout): Conditioner {
  const { inputs: dim, contextDim, state, place } = context;
  const stages = buildNet(state, net, context, `${place}.net`);
  const reads = contextOf(stages, contextDim);
  if (net.type === 'ptf_made_split') {
    const ends = [stages.length / 2 - 1, stages.length - 1];
    for (const end of ends) checkOutputs(stages, end, dim, place);
    return { inputs: dim, contextDim: reads, stages, heads: ends.map((end) => headOf(end, dim, 0, 1)) };
  }
  const heads = headsOf(stages, { slots: dim, layout: layout === 'chunk' ? layout : 'interleaved' }, place);
  if (layout === 'interleaved scale first') heads.reverse();
  return { inputs: dim, contextDim: reads, stages, heads };
}

export const autoregressiveOps = {
  ar_affine(op, context) {
    const mix = mixOf(op, context.place);
    if (op.form === 'mu_s')
      return new Autoregressive(
        conditionerOf(op.net, context, 'chunk'),
        new AffineTransformer({ scale: 'exp', dividesForward: true, ...mix }),
      );
    // nflows' form; the others come from recipes.
    const interleaved = op.layout === 'interleaved' || (op.form === 'softplus' && op.layout === undefined);
    const transformer = new AffineTransformer({ ...scaleOf(op, context.place), ...mix });
    return new Autoregressive(conditionerOf(op.net, context, interleaved ? 'interleaved scale first' : 'chunk'), transformer);
  },

  // The network of an IAF reads the noise: a MAF with its directions exchanged.
  iaf_affine(op, context) {
    const settings = op.form === 'mu_s' ? ({ scale: 'exp', dividesForward: false } as const) : scaleOf(op, context.place);
    const transformer = new AffineTransformer({ ...settings, ...mixOf(op, context.place) });
    return new Inverse(new Autoregressive(conditionerOf(op.net, context, 'chunk'), transformer));
  },

  iaf_scale_shift(op, context) {
    const transformer = new AffineTransformer({ ...scaleOf(op, context.place), ...mixOf(op, context.place) });
    return new Inverse(new Autoregressive(conditionerOf(op.net, context, 'interleaved scale first'), transformer));
  },

  zuko_ar(op, context) {
    if (op.form !== 'softclip_exp')
      throw new UnsupportedError(context.place, `form ${JSON.stringify(op.form)} of zuko_ar`, ['softclip_exp']);
    return new Autoregressive(
      conditionerOf(op.net, context, 'interleaved shift first'),
      new AffineTransformer(softclip(op.slope, context.place)),
    );
  },

  zuko_elementwise(op, { state, inputs: dim, contextDim, place }) {
    if (op.form !== 'softclip_exp')
      throw new UnsupportedError(place, `form ${JSON.stringify(op.form)} of zuko_elementwise`, ['softclip_exp']);
    const settings = softclip(op.slope, place);
    if (op.phi) {
      const [shift, scale] = [state.parameter(op.phi[0] ?? '', [dim]), state.parameter(op.phi[1] ?? '', [dim])];
      const logScale = Float64Array.from(scale, (value) => value / (1 + Math.abs(value / settings.high!)));
      return new DiagonalAffine('elementwise', { center: new Float32Array(dim), logScale, shift });
    }
    const stages = buildContextNet(state, op.net!, contextDim, `${place}.net`);
    const conditioner = { inputs: contextDim, contextDim: 0, stages, heads: headsOf(stages, { slots: dim, layout: 'interleaved' }, place) };
    return new Coupling(dim, conditioner, new AffineTransformer(settings), identityOrder(dim), {
      readsContext: true,
      name: 'conditional-affine',
    });
  },
} satisfies OpBuilders;
