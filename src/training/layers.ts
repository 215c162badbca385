// The layers of a flow one at a time, on arrays: for starts from data and for finding what went wrong, not for hot paths.

import type { Bijector } from '../flows/bijector.js';
import { Chain } from '../flows/bijectors/chain.js';
import type { GpuFlow } from '../flows/flow.js';
import { recordContext, recordInput, recordOutput } from '../flows/task.js';
import type { Gpu } from '../runtime/gpu.js';
import { Recorder } from '../runtime/recorder.js';
import { runOnce } from '../runtime/residents.js';

/** The layer of each op, in density order: chains that only group layers are taken apart. */
export const layersOf = (bijector: Bijector): readonly Bijector[] =>
  bijector instanceof Chain && bijector.name === 'chain' ? bijector.layers.flatMap(layersOf) : [bijector];

/** What a layer makes of rows, without the log-det. */
export async function forwardThrough(gpu: Gpu, layer: Bijector, x: Float32Array, context: Float32Array | undefined, contextDim: number) {
  const rows = x.length / layer.dim;
  const r = new Recorder('initialise');
  const given = recordContext(r, contextDim);
  const z = layer.forward(r, recordInput(r, 'x', layer.dim), { logDet: null, context: given });
  recordOutput(r, 'z', z);
  const outputs = { z: new Float32Array(rows * layer.dim) };
  const contextStride = context && context.length > contextDim ? 1 : 0;
  const inputs = { x, ...(context && { context }) };
  await runOnce(gpu, 'flow', 'initialise', r.finish(), { rows, seed: 0, contextStride, inputs, outputs });
  return outputs.z;
}

/** The leading `to` of each `from` numbers: where features leave, what goes on. */
export function leading(values: Float32Array, from: number, to: number): Float32Array {
  if (from === to) return values;
  const rows = values.length / from;
  const kept = new Float32Array(rows * to);
  for (let row = 0; row < rows; row++) kept.set(values.subarray(row * from, row * from + to), row * to);
  return kept;
}

/** Where rows [n, D] first turn infinite or NaN on their way to z, as a sentence's end; null where none does. */
export async function firstOverflow(flow: GpuFlow, x: Float32Array, context: Float32Array | undefined): Promise<string | null> {
  const { gpu, bijector } = flow.parts;
  let values = x;
  let width = flow.dim;
  for (const [index, layer] of layersOf(bijector).entries()) {
    if (layer.hosted || layer.dim > width) return null;
    values = leading(values, width, layer.dim);
    width = layer.dim;
    values = await forwardThrough(gpu, layer, values, context, flow.contextDim);
    const at = values.findIndex((value) => !Number.isFinite(value));
    if (at >= 0) return `row ${Math.floor(at / width)} of the data leaves ${layer.name}[${index}] as ${values[at]}`;
  }
  return null;
}
