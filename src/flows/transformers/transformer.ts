// What a conditioner parameterises: a monotone map of one feature. Couplings apply it to all features at once, autoregressive layers
// in their sequential direction inside the solve kernel, which imports the transformer's inverse as a WGSL function.

import { PASSES } from '../../kernels/affine.js';
import { PARTIAL_SUM, partialSums, rowSum } from '../../kernels/row-sum.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { Tensor, TiledTensor } from '../../runtime/tensor.js';
import type { ParallelPlan } from '../conditioner/parallel-plan.js';

/** One transformer applied to every feature that has a slot. */
export interface ElementwiseCall {
  readonly parameters: TiledTensor;
  /** For each feature its place among the plan's sorted slots, or PASSES. Parameter p of place j is feature p · slots + j of `parameters`. */
  readonly slot: Uint32Array<ArrayBuffer>;
  readonly slots: number;
  /** Direction x → z of the transformer. */
  readonly forward: boolean;
  /** Added to; null where no log-det is wanted. */
  readonly logDet: TiledTensor | null;
  /** Is given the log-det terms before they are summed, [slots, rows] in the order of places; not called where the map only shifts. */
  readonly onTerms?: (terms: TiledTensor) => void;
}

/** What every solve kernel binds and is told (shaders/lib/autoregressive-solve.wgsl). */
export interface SolveCall {
  readonly buffers: Readonly<Record<'source' | 'weight' | 'bias' | 'tasks' | 'side' | 'state' | 'result' | 'log_det', Tensor>>;
  readonly params: Readonly<Record<'tasks' | 'nodes' | 'dim' | 'side_features', number>>;
  readonly constants: Readonly<Record<'HAS_LOG_DET' | 'GENERAL' | 'PANELS', boolean>>;
}

export interface Transformer {
  /** Parameters of one feature: as many heads does its conditioner have, in this order. */
  readonly parameters: number;
  /** Records value ↦ transformer(value; parameters), feature by feature, all at once. */
  record(r: Recorder, value: TiledTensor, call: ElementwiseCall): TiledTensor;
  /** Records the sequential solve of z → x. */
  recordSolve(r: Recorder, call: SolveCall): void;
}

/** For each feature its place among the plan's sorted slots, or PASSES. @param features feature of each slot. */
export function slotTable(dim: number, features: ArrayLike<number>, plan: ParallelPlan): Uint32Array<ArrayBuffer> {
  const table = new Uint32Array(dim).fill(PASSES);
  for (const [place, slot] of plan.slotOrder.entries()) table[features[slot]!] = place;
  return table;
}

/** Adds the sum of each row's terms to a log-det. One invocation sums four rows: of the many terms of an image, parts come first. */
function addRowSums(r: Recorder, terms: TiledTensor, total: TiledTensor): void {
  if (terms.features > 4 * PARTIAL_SUM) {
    const partials = r.tiled(Math.ceil(terms.features / PARTIAL_SUM), 'partial sums');
    r.run(partialSums, { buffers: { terms, partials }, params: { features: terms.features } });
    terms = partials;
  }
  r.run(rowSum, { buffers: { terms, total }, params: { features: terms.features } });
}

/**
 * A tensor for the log-det terms of an elementwise map, and what adds their sum to the log-det; a dummy where none are counted.
 *
 * @param record runs the map with the tensor that it writes its terms [slots, rows] to.
 */
export function withLogTerms(
  r: Recorder,
  { slots, logDet, onTerms }: Pick<ElementwiseCall, 'slots' | 'logDet' | 'onTerms'>,
  counted: boolean,
  record: (terms: TiledTensor) => void,
): void {
  const terms = r.tiled(counted ? slots : 1, 'log-det terms');
  record(terms);
  if (counted) onTerms?.(terms);
  if (counted) addRowSums(r, terms, logDet!);
}
