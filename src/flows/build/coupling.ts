// Coupling ops with an affine transformer.

import type { Activation } from '../../format/description.js';
import { UnsupportedError } from '../../runtime/errors.js';
import { Coupling } from '../bijectors/coupling.js';
import { type Conditioner, INPUT } from '../conditioner/conditioner.js';
import { identityOrder } from '../conditioner/packing.js';
import { AffineTransformer } from '../transformers/affine.js';
import { checkOutputs, contextOf, coupling } from './conditioner.js';
import { sequentialMlp, sideBySide } from './nets.js';
import type { BuildContext, OpBuilders } from './op.js';
import { mixOf, scaleOf } from './scale.js';

/** Two nets of the whole input with a mask: a shift and a log-scale for every feature, used where the mask is 0. */
function twoNets(
  context: BuildContext,
  nets: {
    readonly shift: readonly string[];
    readonly scale: readonly string[];
    readonly shiftActivation: Activation;
    readonly scaleActivation: Activation;
    readonly reads: boolean;
  },
  mask: ArrayLike<number>,
): { conditioner: Conditioner; moved: number[] } {
  const { state, inputs: dim, contextDim, place } = context;
  const input = { inputs: dim, contextDim: nets.reads ? contextDim : 0 };
  const shift = sequentialMlp(state, nets.shift, nets.shiftActivation, input);
  const scale = sequentialMlp(state, nets.scale, nets.scaleActivation, input);
  const stages = sideBySide(shift, scale).map((stage) => {
    if (stage.input !== INPUT) return stage;
    return { ...stage, weight: stage.weight.map((value, at) => (mask[at % dim] === 0 ? 0 : value)) };
  });
  const moved = [...identityOrder(dim)].filter((i) => mask[i] === 0);
  const ends = [shift.length - 1, stages.length - 1] as const;
  for (const end of ends) checkOutputs(stages, end, dim, place);
  const heads = ends.map((stage) => ({ stage, units: Uint32Array.from(moved) }));
  return { conditioner: { inputs: dim, contextDim: contextOf(stages, contextDim), stages, heads }, moved };
}

/** Names of the linear layers of torch.nn.Sequential(linear, activation, linear, activation, linear). */
const linears = (prefix: string): string[] => [0, 2, 4].map((index) => `${prefix}.${index}`);

export const couplingOps = {
  coupling_affine(op, context) {
    const transformer = new AffineTransformer({ ...scaleOf(op, context.place), ...mixOf(op, context.place) });
    return coupling(op.net, op, transformer, context, { view: 'by parameter', places: identityOrder(transformer.parameters) });
  },

  ptf_coupling(op, context) {
    const nets = {
      shift: linears(op.translate_net),
      scale: linears(op.scale_net),
      shiftActivation: op.t_act,
      scaleActivation: op.s_act,
      reads: op.context,
    };
    const { conditioner, moved } = twoNets(context, nets, op.mask);
    return new Coupling(context.inputs, conditioner, new AffineTransformer({ scale: 'exp', dividesForward: false }), moved);
  },

  nf_masked_affine(op, context) {
    const activation = op.leaky === 0 ? 'relu' : op.leaky === 0.01 ? 'leaky_relu' : null;
    if (activation === null) throw new UnsupportedError(context.place, `a leaky slope of ${op.leaky}`, ['0', '0.01']);
    const shape = context.state.shapeOf(op.b);
    const mask = context.state.buffer(op.b, shape.length === 2 ? [1, context.inputs] : [context.inputs]);
    const nets = { shift: op.t, scale: op.s, shiftActivation: activation, scaleActivation: activation, reads: false } as const;
    const { conditioner, moved } = twoNets(context, nets, mask);
    return new Coupling(context.inputs, conditioner, new AffineTransformer({ scale: 'exp', dividesForward: true }), moved);
  },
} satisfies OpBuilders;
