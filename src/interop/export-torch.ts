import { type Flow, ownFlow } from '../flows/flow.js';
import { writeSafetensors } from '../format/safetensors.js';

/**
 * The flow's tensors as a PyTorch state_dict in a safetensors file: the names, shapes, types and order of the file that the flow was
 * imported from, buffers included, so that `model.load_state_dict(safetensors.torch.load_file(path))` takes it. A flow of a recipe has the names
 * that `flow.parameters()` shows.
 *
 * ```ts
 * await fit(flow, data);
 * const bytes = await exportTorch(flow); // write it to a file, then load it in Python
 * ```
 *
 * @throws DisposedError after `flow.dispose()`.
 */
export async function exportTorch(flow: Flow): Promise<Uint8Array> {
  const own = ownFlow('exportTorch: flow', flow);
  await own.parameters(); // throws where the flow is disposed
  return writeSafetensors(own.parts.state.tensors, { format: 'pt' });
}
