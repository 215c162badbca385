// From a description and its tensors to a flow on a device.

import type { FlowDescription } from '../../format/description.js';
import type { StoredTensor } from '../../format/safetensors.js';
import { FormatError, UnsupportedError } from '../../runtime/errors.js';
import type { Gpu } from '../../runtime/gpu.js';
import type { Base } from '../bases/base.js';
import type { Bijector } from '../bijector.js';
import { Chain } from '../bijectors/chain.js';
import { type Flow, GpuFlow } from '../flow.js';
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
  const assemble = (others: ReadonlyMap<string, StoredTensor>) => assembleFlow(description, others, operations, bases);
  const { bijector, base, ...state } = assemble(tensors);
  return new GpuFlow(gpu, bijector, base, { description, tensors, assemble, ...state });
}

/** The layers and the base of a flow, which know no device. */
function assembleFlow(
  description: FlowDescription,
  tensors: ReadonlyMap<string, StoredTensor>,
  operations: OpBuilders,
  bases: BaseBuilders,
): { bijector: Bijector; base: Base; parameterNames: readonly string[]; layerParameters: readonly number[] } {
  const { features: dim, context_features: contextDim } = description;
  const state = new StateReader(tensors);
  const generate = description.structure_direction === 'generate';
  const layerParameters: number[] = [];
  // An op that sets features aside builds what follows it, on the features that go on: `rest`.
  const chainFrom = (first: number, entering: readonly number[]): Bijector => {
    let shape = entering;
    const layers: Bijector[] = [];
    let end = description.structure.length;
    for (let index = first; index < end; index++) {
      const op = description.structure[index]!;
      const place = `description.structure[${index}]`;
      const builder = operations[op.op] as ((op: unknown, context: BuildContext) => Bijector) | undefined;
      if (!builder) throw new UnsupportedError(place, `op ${JSON.stringify(op.op)}`, Object.keys(operations) as OpName[]);
      const next = index + 1;
      const multiscale = () => {
        if (generate) throw new UnsupportedError(place, `op ${JSON.stringify(op.op)} from noise to data`);
      };
      const rest = (features: number): Bijector => {
        multiscale();
        end = 0;
        return chainFrom(next, [features]);
      };
      try {
        const before = state.parameterCount;
        const inputs = shape.reduce((a, b) => a * b, 1);
        const reshape = (leaving: readonly number[]) => {
          multiscale();
          shape = leaving;
        };
        layers.push(builder(op, { inputs, contextDim, state, place, shape, reshape, rest }));
        // What `rest` built counts for its own ops.
        layerParameters[index] = state.parameterCount - before - layerParameters.slice(next).reduce((sum, count) => sum + count, 0);
      } catch (error) {
        if (error instanceof FormatError && !error.message.includes('description.structure['))
          throw new FormatError(`${place} (${op.op}): ${error.place}`, error.message.slice(error.place.length + 2));
        throw error;
      }
    }
    if (generate) layers.reverse(); // a chain lists its layers from data to noise
    return new Chain(
      entering.reduce((a, b) => a * b, 1),
      layers,
    );
  };
  const bijector = chainFrom(0, description.event_shape);
  const base = buildBase(description.base, dim, contextDim, state, bases);
  const parameterNames = state.finish();
  return { bijector, base, parameterNames, layerParameters };
}
