// From a described net to the conditioner of a layer. How a library lays out the outputs of a net's last layer becomes one head for each
// parameter of the transformer.

import type { NetDescription } from '../../format/description.js';
import { FormatError } from '../../runtime/errors.js';
import { Autoregressive } from '../bijectors/autoregressive.js';
import { Coupling } from '../bijectors/coupling.js';
import type { Conditioner, Head, Stage } from '../conditioner/conditioner.js';
import { identityOrder } from '../conditioner/packing.js';
import type { Transformer } from '../transformers/transformer.js';
import { buildContextNet, buildNet, spreadInputs } from './nets.js';
import type { BuildContext } from './op.js';

/** Units first, first + step, … of a stage. */
export const headOf = (stage: number, slots: number, first: number, step: number): Head => ({
  stage,
  units: Uint32Array.from({ length: slots }, (_, slot) => first + slot * step),
});

/** @throws FormatError where the last layer of a net has not as many outputs as its heads read. */
export function checkOutputs(stages: readonly Pick<Stage, 'outputs'>[], stage: number, expected: number, place: string): void {
  const got = stages[stage]!.outputs;
  if (got !== expected) throw new FormatError(place, `the last layer of the net needs ${expected} outputs; got ${got}`);
}

/** Features of the context that a net reads: all of them or none. */
export const contextOf = (stages: readonly Stage[], contextDim: number): number =>
  stages.some((stage) => stage.contexts.length > 0) ? contextDim : 0;

/** The last layer's outputs, viewed [slots, P] or [P, slots]: `places[p]` is where parameter p of a transformer lies along P. */
export interface Layout {
  readonly view: 'by slot' | 'by parameter';
  readonly places: ArrayLike<number>;
}

/** The transformer's own order, slot by slot. */
export const bySlot = ({ parameters }: Transformer): Layout => ({ view: 'by slot', places: identityOrder(parameters) });

type Reads = Pick<BuildContext, 'inputs' | 'contextDim' | 'place'>;

/** @throws FormatError where the net has another number of outputs. */
export function conditionerOf(
  stages: readonly Stage[],
  slots: number,
  { view, places }: Layout,
  { inputs, contextDim, place }: Reads,
): Conditioner {
  const last = stages.length - 1;
  const count = places.length;
  checkOutputs(stages, last, count * slots, place);
  const heads = Array.from(places, (at) => (view === 'by slot' ? headOf(last, slots, at, count) : headOf(last, slots, at * slots, 1)));
  return { inputs, contextDim: contextOf(stages, contextDim), stages, heads };
}

/** The conditioner of a net that reads the context alone. */
export function contextConditioner(
  net: NetDescription,
  slots: number,
  layout: Layout,
  { state, contextDim, place }: Pick<BuildContext, 'state' | 'contextDim' | 'place'>,
): Conditioner {
  const stages = buildContextNet(state, net, contextDim, `${place}.net`);
  return conditionerOf(stages, slots, layout, { inputs: contextDim, contextDim: 0, place });
}

export function autoregressive(net: NetDescription, transformer: Transformer, context: BuildContext, layout = bySlot(transformer)) {
  const stages = buildNet(context.state, net, context, `${context.place}.net`);
  return new Autoregressive(conditionerOf(stages, context.inputs, layout, context), transformer);
}

/** Features `identity` stay and feed the net; `transform` are moved. */
export function coupling(
  net: NetDescription,
  { identity, transform }: { readonly identity: readonly number[]; readonly transform: readonly number[] },
  transformer: Transformer,
  context: BuildContext,
  layout = bySlot(transformer),
) {
  const { state, inputs: dim, contextDim, place } = context;
  const stages = spreadInputs(buildNet(state, net, { inputs: identity.length, contextDim }, `${place}.net`), identity, dim);
  return new Coupling(dim, conditionerOf(stages, transform.length, layout, context), transformer, transform);
}
