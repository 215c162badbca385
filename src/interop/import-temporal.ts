import { operations } from '../flows/build/operations.js';
import { runAdaptively } from '../flows/continuous/load-adaptive.js';
import { buildTemporal } from '../flows/temporal/build.js';
import type { TemporalFlow } from '../flows/temporal/temporal-flow.js';
import type { StoredTensor } from '../format/safetensors.js';
import { joined, parseTemporal, temporalFromMetadata } from '../format/temporal.js';
import type { Gpu } from '../runtime/gpu.js';
import { readTensors } from './read-tensors.js';
import { neutralDescription } from './whole-flow.js';

/**
 * Loads a recurrent network and the conditional flow of a step that PyTorch trained, from one state_dict.
 *
 * ```ts
 * const description = {
 *   version: 1, features: 3, scaling: 'none',
 *   cell: { type: 'lstm', hidden: 40, layers: 2, prefix: 'lstm' },         // lstm.weight_ih_l0, …
 *   flow_prefix: 'flow',                                                   // flow.transform.0.…
 *   flow: { library: 'zuko', class: 'zuko.flows.MAF', constructor: { features: 3, context: 40, transforms: 3 } },
 * };
 * const flow = await importTemporal(gpu, description, weights);
 * ```
 *
 * @param description as docs/flows/temporal.md says; `flow` is what importTorch takes, with names that leave `flow_prefix` out.
 * @throws FormatError for a malformed file or description, or tensors that do not fit; UnsupportedError for what is not known.
 */
export async function importTemporal(gpu: Gpu, description: object, weights: ArrayBuffer | Uint8Array): Promise<TemporalFlow> {
  const { tensors } = readTensors(weights);
  const parsed = await parseTemporal(description, (flow, place) => neutralDescription(flow, () => ownTensors(description, tensors), place));
  return buildTemporal(gpu, parsed, tensors, operations(runAdaptively));
}

/**
 * Loads what `save` of a temporal flow wrote, to the same bits.
 *
 * @throws FormatError for a file that was not saved by one, or was damaged.
 */
export async function loadTemporal(gpu: Gpu, bytes: ArrayBuffer | Uint8Array): Promise<TemporalFlow> {
  const { tensors, metadata } = readTensors(bytes);
  return buildTemporal(gpu, await temporalFromMetadata(metadata), tensors, operations(runAdaptively));
}

/** Those of the step's flow, by the names that it knows. */
function ownTensors(description: object, tensors: ReadonlyMap<string, StoredTensor>): Map<string, StoredTensor> {
  const prefix = joined((description as { flow_prefix: string }).flow_prefix, '');
  return new Map([...tensors].flatMap(([name, tensor]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), tensor] as const] : [])));
}
