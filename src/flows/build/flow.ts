// From a description and its tensors to a flow on a device.

import type { FlowDescription } from '../../format/description.js';
import type { StoredTensor } from '../../format/safetensors.js';
import { product } from '../../format/shape.js';
import { FormatError, UnsupportedError } from '../../runtime/errors.js';
import type { Gpu } from '../../runtime/gpu.js';
import type { Base } from '../bases/base.js';
import type { Bijector } from '../bijector.js';
import { Chain } from '../bijectors/chain.js';
import { Permutation } from '../bijectors/permutation.js';
import { identityOrder } from '../conditioner/packing.js';
import { type Flow, type FlowState, GpuFlow } from '../flow.js';
import { buildBase } from './base.js';
import type { BaseBuilders, BuildContext, OpBuilders, OpName } from './op.js';
import { StateReader } from './state.js';

/**
 * Builds the flow that a description names. Nothing is left behind where it throws.
 *
 * @param operations builders of the ops that may occur; an importer passes all, a recipe its own.
 * @param bases builders of bases beyond the common ones.
 * @throws UnsupportedError for an op without a builder; FormatError where a tensor is missing, surplus or does not fit.
 */
export function buildFlow(
  gpu: Gpu,
  description: FlowDescription,
  tensors: ReadonlyMap<string, StoredTensor>,
  operations: OpBuilders,
  bases: BaseBuilders = {},
): Flow {
  const assemble = (others: ReadonlyMap<string, StoredTensor>, places = false) =>
    assembleFlow(description, new StateReader(others, places), operations, bases);
  const { bijector, base, ...state } = assemble(tensors);
  return new GpuFlow(gpu, bijector, base, { description, tensors, assemble, ...state });
}

/** The layers and the base of a flow, which know no device. */
function assembleFlow(
  description: FlowDescription,
  state: StateReader,
  operations: OpBuilders,
  bases: BaseBuilders,
): { readonly bijector: Bijector; readonly base: Base } & Pick<FlowState, 'parameterNames' | 'layerParameters' | 'norms'> {
  const { features: dim, context_features: contextDim } = description;
  const generate = description.structure_direction === 'generate';
  const layerParameters: number[] = [];
  const layers: Bijector[] = [];
  const firstLatents: number[] = [];
  let shape: readonly number[] = description.event_shape;
  for (const [index, op] of description.structure.entries()) {
    const place = `description.structure[${index}]`;
    const builder = operations[op.op] as ((op: unknown, context: BuildContext) => Bijector) | undefined;
    if (!builder) throw new UnsupportedError(place, `op ${JSON.stringify(op.op)}`, Object.keys(operations) as OpName[]);
    const inputs = product(shape);
    const reshape = (leaving: readonly number[], latents?: 'first') => {
      if (generate) throw new UnsupportedError(place, `op ${JSON.stringify(op.op)} from noise to data`);
      if (latents) firstLatents.push(...identityOrder(inputs).subarray(product(leaving)));
      shape = leaving;
    };
    try {
      const before = state.parameterCount;
      layers.push(builder(op, { inputs, contextDim, state, place, shape, reshape }));
      layerParameters.push(state.parameterCount - before);
    } catch (error) {
      if (error instanceof FormatError && !error.message.includes('description.structure['))
        throw new FormatError(`${place} (${op.op}): ${error.place}`, error.message.slice(error.place.length + 2));
      throw error;
    }
  }
  // A chain lists its layers from data to noise.
  if (generate) for (const list of [layers, layerParameters]) list.reverse();
  if (firstLatents.length > 0)
    layers.push(new Permutation([...firstLatents, ...identityOrder(dim).filter((f) => !firstLatents.includes(f))]));
  const narrow = layers.findIndex((layer) => layer.dim < dim);
  if (narrow > 0 && layers.some((layer) => layer.hosted)) layers.push(new Chain(dim, layers.splice(narrow)));
  const bijector = new Chain(dim, layers);
  const base = buildBase(description.base, { dim, contextDim, state }, bases);
  const parameterNames = state.finish();
  return { bijector, base, parameterNames, layerParameters, norms: state.norms };
}
