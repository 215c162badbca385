// From a description and its tensors to a flow on a device.

import type { BaseDescription, FlowDescription, LevelDescription } from '../../format/description.js';
import type { StoredTensor } from '../../format/safetensors.js';
import { FormatError, UnsupportedError } from '../../runtime/errors.js';
import type { Gpu } from '../../runtime/gpu.js';
import { type Base, DiagonalMixture, DiagonalNormal, StandardNormal } from '../bases/base.js';
import type { Bijector } from '../bijector.js';
import { Chain } from '../bijectors/chain.js';
import { type Flow, GpuFlow } from '../flow.js';
import type { BaseBuilders, BuildContext, OpBuilders, OpName } from './op.js';
import { StateReader } from './state.js';

function buildBase(base: BaseDescription, dim: number, state: StateReader, bases: BaseBuilders): Base {
  const builder = bases[base.type];
  if (builder) return builder(base, dim, state);
  switch (base.type) {
    case 'standard_normal':
      // zuko stores the standard normal's parameters as buffers.
      state.expectFilled('base.loc', 0);
      state.expectFilled('base.scale', 1);
      return new StandardNormal(dim);
    case 'diag_normal': {
      if (base.levels) return levelNormal(base.levels, state);
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
    'diag_normal',
    'diag_gmm',
    ...Object.keys(bases),
  ]);
}

/** A diagonal normal of the latents of a multi-scale flow, level 0 first. normflows stores [1, C, H, W]. */
function levelNormal(levels: readonly LevelDescription[], state: StateReader): Base {
  const read = (name: string, shape: readonly number[]) =>
    state.parameter(name, state.shapeOf(name).length === shape.length + 1 ? [1, ...shape] : shape);
  const loc = levels.flatMap((level) => Array.from(read(level.loc, level.shape)));
  const logScale = levels.flatMap((level) => Array.from(read(level.log_scale, level.shape)));
  return new DiagonalNormal(loc, logScale);
}

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
  const { features: dim, context_features: contextDim } = description;
  if (description.structure_direction !== 'density')
    throw new UnsupportedError('description.structure_direction', '"generate"', ['density']);
  const state = new StateReader(tensors);
  let shape: readonly number[] = description.event_shape;
  const layers = description.structure.map((op, index): Bijector => {
    const place = `description.structure[${index}]`;
    const builder = operations[op.op] as ((op: unknown, context: BuildContext) => Bijector) | undefined;
    if (!builder) throw new UnsupportedError(place, `op ${JSON.stringify(op.op)}`, Object.keys(operations) as OpName[]);
    try {
      const inputs = shape.reduce((a, b) => a * b, 1);
      const reshape = (next: readonly number[]) => {
        shape = next;
      };
      return builder(op, { inputs, contextDim, state, place, shape, reshape });
    } catch (error) {
      if (error instanceof FormatError && !error.message.includes(place))
        throw new FormatError(`${place} (${op.op}): ${error.place}`, error.message.slice(error.place.length + 2));
      throw error;
    }
  });
  const base = buildBase(description.base, dim, state, bases);
  const parameterNames = state.finish();
  return new GpuFlow(gpu, new Chain(dim, layers), base, { description, tensors, parameterNames });
}
