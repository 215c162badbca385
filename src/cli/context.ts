// A flow whose networks were trained on (context − mean) / deviation, as one that reads the context itself: W (c − m) / s + b is
// (W / s) c + (b − (W / s) m), so the first layers take the scales in.

import type { FlowDescription, NetDescription } from '../format/description.js';
import { descriptionFromMetadata } from '../format/format.js';
import { readSafetensors, type StoredTensor, writeSafetensors } from '../format/safetensors.js';
import { UnsupportedError } from '../runtime/errors.js';

export interface Moments {
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/** Name of the linear layer that meets the context last among its inputs. */
function contextLayer(net: NetDescription): string {
  if (net.type === 'masked_mlp' && net.context_proj) return net.context_proj;
  if (net.type === 'zuko_mlp' && net.context_concat) return net.linears[0]!;
  throw new UnsupportedError('context', `a net ${JSON.stringify(net.type)} of a standardised context`);
}

function takeIn(tensors: Map<string, StoredTensor>, layer: string, { mean, deviation }: Moments): void {
  const { shape, data, ...weight } = tensors.get(`${layer}.weight`)!;
  const { data: bias, ...rest } = tensors.get(`${layer}.bias`)!;
  const [outputs, inputs] = shape as [number, number];
  const scaled = Float32Array.from(data as Float32Array);
  const moved = Float32Array.from(bias as Float32Array);
  for (let o = 0; o < outputs; o++) {
    let sum = bias[o] as number;
    for (const [c, scale] of deviation.entries()) {
      const at = o * inputs + inputs - deviation.length + c;
      scaled[at] = (data[at] as number) / scale;
      sum -= scaled[at]! * mean[c]!;
    }
    moved[o] = sum;
  }
  tensors.set(`${layer}.weight`, { ...weight, shape, data: scaled });
  tensors.set(`${layer}.bias`, { ...rest, data: moved });
}

/** @param file as `flow.save()` wrote it, of a recipe that the command line has. */
export function readContextAs(file: Uint8Array, moments: Moments): Uint8Array {
  const { tensors, metadata } = readSafetensors(file);
  const { structure }: FlowDescription = descriptionFromMetadata(metadata);
  for (const op of structure) if ('net' in op && op.net) takeIn(tensors, contextLayer(op.net as NetDescription), moments);
  return writeSafetensors(tensors, metadata);
}
