// A flow whose fresh parameters are moved: zeros, identities and standard bases hide what is wrong behind them.

import { readSafetensors, writeSafetensors } from '../../src/format/safetensors.js';
import { type Flow, loadFlow } from '../../src/index.js';
import type { Gpu } from '../../src/runtime/gpu.js';
import { Random } from './random.js';

/** The flow with normals times `scale` added to every parameter; the given one is disposed. */
export async function perturbed(gpu: Gpu, flow: Flow | Promise<Flow>, scale = 0.1, seed = 1): Promise<Flow> {
  const given = await flow;
  const random = new Random(seed);
  const names = Object.keys(await given.parameters());
  const { tensors, metadata } = readSafetensors(await given.save());
  given.dispose();
  const moved = new Map(tensors);
  for (const name of names) {
    const tensor = tensors.get(name)!;
    moved.set(name, { ...tensor, data: Float32Array.from(tensor.data as Float32Array, (value) => value + scale * random.normal()) });
  }
  return loadFlow(gpu, writeSafetensors(moved, metadata));
}
