// From a description and its tensors to a flow on a device.

import type { BaseDescription, FlowDescription } from '../../format/description.js';
import type { StoredTensor } from '../../format/safetensors.js';
import { FormatError, UnsupportedError } from '../../runtime/errors.js';
import type { Gpu } from '../../runtime/gpu.js';
import { type Base, DiagonalMixture, DiagonalNormal, StandardNormal } from '../bases/base.js';
import { Uniform } from '../bases/uniform.js';
import type { Bijector } from '../bijector.js';
import { Chain } from '../bijectors/chain.js';
import { type Flow, GpuFlow } from '../flow.js';
import type { BuildContext, OpBuilders, OpName } from './op.js';
import { StateReader } from './state.js';

function buildBase(base: BaseDescription, dim: number, state: StateReader): Base {
  switch (base.type) {
    case 'standard_normal':
      // zuko stores the standard normal's parameters as buffers.
      state.expectFilled('base.loc', 0);
      state.expectFilled('base.scale', 1);
      return new StandardNormal(dim);
    case 'uniform':
      if (!(base.low < base.high)) throw new FormatError('description.base', `needs low < high; got ${base.low} and ${base.high}`);
      // zuko stores the ends of its uniform base as buffers.
      for (const name of ['base.lower', 'base._0']) state.expectFilled(name, base.low);
      for (const name of ['base.upper', 'base._1']) state.expectFilled(name, base.high);
      return new Uniform(dim, base.low, base.high);
    case 'diag_normal': {
      if (base.levels) break;
      const [loc, logScale] = [base.loc, base.log_scale].map((name) =>
        state.parameter(name, state.shapeOf(name).length === 2 ? [1, dim] : [dim]),
      );
      return new DiagonalNormal(loc!, logScale!);
    }
    case 'diag_gmm': {
      const { components } = base;
      return new DiagonalMixture(
        state.parameter(base.logits, [components]),
        state.parameter(base.means, [components, dim]),
        state.parameter(base.log_scales, [components, dim]),
      );
    }
  }
  throw new UnsupportedError('description.base', `base ${JSON.stringify(base.type)}`, [
    'standard_normal',
    'uniform',
    'diag_normal',
    'diag_gmm',
  ]);
}

/**
 * Builds the flow that a description names. Nothing is left behind where it throws.
 *
 * @param operations builders of the ops that may occur; an importer passes all, a recipe its own.
 * @throws UnsupportedError for an op without a builder; FormatError where a tensor is missing, surplus or does not fit.
 */
export function buildFlow(
  gpu: Gpu,
  description: FlowDescription,
  tensors: ReadonlyMap<string, StoredTensor>,
  operations: OpBuilders,
): Flow {
  const { features: dim, context_features: contextDim } = description;
  if (description.structure_direction !== 'density')
    throw new UnsupportedError('description.structure_direction', '"generate"', ['density']);
  const state = new StateReader(tensors);
  const layers = description.structure.map((op, index): Bijector => {
    const place = `description.structure[${index}]`;
    const builder = operations[op.op] as ((op: unknown, context: BuildContext) => Bijector) | undefined;
    if (!builder) throw new UnsupportedError(place, `op ${JSON.stringify(op.op)}`, Object.keys(operations) as OpName[]);
    try {
      return builder(op, { inputs: dim, contextDim, state, place });
    } catch (error) {
      if (error instanceof FormatError && !error.message.includes(place))
        throw new FormatError(`${place} (${op.op}): ${error.place}`, error.message.slice(error.place.length + 2));
      throw error;
    }
  });
  const base = buildBase(description.base, dim, state);
  const parameterNames = state.finish();
  return new GpuFlow(gpu, new Chain(dim, layers), base, { description, tensors, parameterNames });
}
