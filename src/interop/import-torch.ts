import { buildFlow } from '../flows/build/flow.js';
import { bases, operations } from '../flows/build/operations.js';
import { runAdaptively } from '../flows/continuous/load-adaptive.js';
import type { Flow } from '../flows/flow.js';
import { descriptionFromMetadata } from '../format/format.js';
import type { Gpu } from '../runtime/gpu.js';
import { readTensors } from './read-tensors.js';
import { neutralDescription } from './whole-flow.js';

/**
 * Loads a flow that a PyTorch library trained.
 *
 * ```ts
 * const weights = await (await fetch('flow.safetensors')).arrayBuffer();
 * const flow = await importTorch(gpu, { library: 'nflows', class: 'nflows.flows.MaskedAutoregressiveFlow', constructor: { … } }, weights);
 * ```
 *
 * @param description the neutral description of docs/format.md, or { library, class, constructor } of a whole-flow class of nflows
 *   (MaskedAutoregressiveFlow, SimpleRealNVP, MADEMoG) or zuko (MAF, NICE, RealNVP, NSF, NCSF, CNF). Other keys are ignored.
 * @param weights a safetensors file of the state_dict, names unchanged; float32, or float16 and bfloat16, which are float32 exactly. Weights in float16 stay
 *   that on the device.
 * @throws FormatError for a malformed file or description, or tensors that do not fit; UnsupportedError for an op, net or class that is
 *   not known; no partial flow is left behind.
 */
export async function importTorch(gpu: Gpu, description: object, weights: ArrayBuffer | Uint8Array): Promise<Flow> {
  const { tensors } = readTensors(weights);
  const neutral = await neutralDescription(description, () => tensors);
  return buildFlow(gpu, neutral, tensors, operations(runAdaptively), bases());
}

/**
 * Loads what `flow.save()` wrote, to the same bits.
 *
 * @throws FormatError for a file that was not saved by a flow, or was damaged.
 */
export async function loadFlow(gpu: Gpu, bytes: ArrayBuffer | Uint8Array): Promise<Flow> {
  const { tensors, metadata } = readTensors(bytes);
  return buildFlow(gpu, descriptionFromMetadata(metadata), tensors, operations(runAdaptively), bases());
}
