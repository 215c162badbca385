// The parallel half that couplings and autoregressive layers share: parameters from a conditioner, then the affine map.

import { affine, PASSES } from '../kernels/affine.js';
import { rowSum } from '../kernels/row-sum.js';
import type { Recorder } from '../runtime/recorder.js';
import type { TiledTensor } from '../runtime/tensor.js';
import type { ParallelPlan } from './parallel-plan.js';
import { type AffineTransformer, transformerConstants } from './transformer.js';

/** For each feature its place among the plan's sorted slots, or PASSES. @param features feature of each slot. */
export function slotTable(dim: number, features: ArrayLike<number>, plan: ParallelPlan): Uint32Array<ArrayBuffer> {
  const table = new Uint32Array(dim).fill(PASSES);
  for (const [place, slot] of plan.slotOrder.entries()) table[features[slot]!] = place;
  return table;
}

/**
 * Records value ↦ transformer(value; conditioner(input)).
 *
 * @param forward direction x → z of the transformer.
 */
export function recordAffine(
  r: Recorder,
  value: TiledTensor,
  call: {
    readonly parameters: TiledTensor;
    readonly slot: Uint32Array<ArrayBuffer>;
    readonly slots: number;
    readonly transformer: AffineTransformer;
    readonly forward: boolean;
    readonly logDet: TiledTensor | null;
  },
): TiledTensor {
  const y = r.tiled(value.features, call.forward ? 'z' : 'x');
  const counted = call.logDet !== null && call.transformer.scale !== 'none';
  const terms = r.tiled(counted ? call.slots : 1, 'log-det terms');
  r.run(affine, {
    buffers: { x: value, parameters: call.parameters, slot: r.constant(call.slot, 'slot'), y, log_terms: terms },
    params: { features: value.features, slots: call.slots, parameter_features: call.parameters.features },
    constants: { ...transformerConstants(call.transformer, call.forward), HAS_LOG_DET: counted },
  });
  if (counted) r.run(rowSum, { buffers: { terms, total: call.logDet! }, params: { features: call.slots } });
  return y;
}
