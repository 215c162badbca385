// Statistics of data for the layers that normalise: their outputs then have mean 0 and deviation 1 on it.

import type { GpuFlow } from '../flows/flow.js';
import type { OpDescription } from '../format/description.js';
import { UnsupportedError, ValueError } from '../runtime/errors.js';
import { forwardThrough, layersOf, leading } from './layers.js';

/** Two tensors of a layer that normalises, what they hold while it is the identity, and what they are to hold. */
interface Norm {
  readonly names: readonly [string, string];
  readonly identity: readonly [number, number];
  readonly values: (mean: number, deviation: number) => readonly [number, number];
}

function normOf(op: OpDescription): Norm | null {
  const shifted: Omit<Norm, 'names'> = { identity: [0, 0], values: (mean, deviation) => [mean, Math.log(deviation)] };
  switch (op.op) {
    case 'batchnorm':
      return { names: [op.mean, op.var], identity: [0, 1], values: (mean, deviation) => [mean, deviation ** 2] };
    case 'glow_block':
      return { names: [op.actnorm.shift, op.actnorm.log_scale], ...shifted };
    case 'channel_actnorm':
      return { names: [op.shift, op.log_scale], ...shifted };
    case 'actnorm': {
      const names = [op.shift, op.log_scale] as const;
      if (op.form === 'minus_shift_then_unscale') return { names, ...shifted };
      const scaled = op.form === 'scale_then_shift';
      return { names, identity: [0, 0], values: (mean, deviation) => [scaled ? -mean / deviation : mean, -Math.log(deviation)] };
    }
    default:
      return null;
  }
}

/** Mean and deviation of each channel over rows and pixels, in float64. A constant channel counts as one of deviation 1e-6. */
function statisticsOf(values: Float32Array, channels: number, width: number): { mean: number; deviation: number }[] {
  const [rows, area] = [values.length / width, width / channels];
  return Array.from({ length: channels }, (_, channel) => {
    const average = (term: (value: number) => number) => {
      let sum = 0;
      for (let row = 0; row < rows; row++) {
        const at = row * width + channel * area;
        for (let p = 0; p < area; p++) sum += term(values[at + p]!);
      }
      return sum / (rows * area);
    };
    const mean = average((value) => value);
    return { mean, deviation: Math.max(1e-6, Math.sqrt(average((value) => (value - mean) ** 2))) };
  });
}

/**
 * Gives every ActNorm, and the running statistics of every batch norm between layers, that is still the identity its start from data [n, D]:
 * layer after layer, each on what those before it make of the data. Salimans and Kingma 2016, arXiv:1602.07868; Glow, section 3.1.
 *
 * @returns whether there was such a layer.
 * @param data at least one row, checked by the caller, as its context is.
 * @throws ValueError where statistics are not finite.
 */
export async function initialise(flow: GpuFlow, place: string, data: Float32Array, context: Float32Array | undefined): Promise<boolean> {
  const { gpu, state } = flow.parts;
  const { structure, structure_direction: direction } = state.description;
  const norms = (direction === 'density' ? structure : structure.toReversed()).map((op) => {
    const norm = normOf(op);
    const fresh = norm?.names.every((name, k) => (state.tensors.get(name)!.data as Float32Array).every((v) => v === norm.identity[k]));
    return fresh ? norm : null;
  });
  const last = norms.findLastIndex((norm) => norm !== null);
  if (last < 0) return false;
  const tensors = new Map(state.tensors);
  const found = new Map<string, Float32Array>();
  let layers = layersOf(flow.parts.bijector);
  let values = data;
  let width = flow.dim;
  for (const [index, norm] of norms.slice(0, last + 1).entries()) {
    let layer = layers[index]!;
    if (layer.hosted) throw new UnsupportedError(place, 'a start from data behind a solve with error control');
    if (layer.dim < width) values = leading(values, width, layer.dim);
    width = layer.dim;
    if (norm) {
      const shape = tensors.get(norm.names[0])!;
      const statistics = statisticsOf(values, shape.data.length, width);
      for (const [k, name] of norm.names.entries()) {
        const numbers = Float32Array.from(statistics, ({ mean, deviation }) => norm.values(mean, deviation)[k]!);
        if (!numbers.every(Number.isFinite))
          throw new ValueError(place, 'finite numbers', 'some that are not, or that overflow on their way');
        found.set(name, numbers);
        tensors.set(name, { ...tensors.get(name)!, data: numbers });
      }
      layers = layersOf(state.assemble(tensors).bijector);
      layer = layers[index]!;
    }
    if (index < last) values = await forwardThrough(gpu, layer, values, context, flow.contextDim);
  }
  await flow.replaceParameters(found);
  return true;
}
