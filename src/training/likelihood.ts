// Maximum likelihood: the terms are log p(x) of a minibatch, or of (k + u) / levels where the data are integers k.

import { BoxUniform } from '../flows/bases/box-uniform.js';
import { recordDensity, recordInput } from '../flows/task.js';
import { dequantization } from '../kernels/dequantize.js';
import { halfBits, minibatch } from '../kernels/minibatch.js';
import type { Recorder } from '../runtime/recorder.js';
import type { TiledTensor } from '../runtime/tensor.js';
import type { FlowLayers } from './model.js';
import type { Objective, RecordTerms } from './objective.js';

export interface DataSet {
  readonly x: Float32Array;
  readonly context?: Float32Array | undefined;
}

/** Records (k + u) / levels with u uniform in (0, 1), by the seed of the call. */
function recordNoise(r: Recorder, k: TiledTensor, levels: number): TiledTensor {
  const all = (value: number) => new Float32Array(k.features).fill(value);
  const y = r.tiled(k.features, 'dequantized');
  r.run(dequantization.dequantize, {
    buffers: { x: k, u: new BoxUniform(all(0), all(1)).sample(r), y },
    params: { features: k.features, levels, step: 1 / levels },
  });
  return y;
}

/** A row of a minibatch as the shuffle of `seed` has it: step t takes rows t · batch … of one order after another, each of all `count` rows. */
export const shuffled = (count: number, seed: number): typeof recordInput => {
  const order = { count, half_bits: halfBits(count), seed_low: seed % 2 ** 32, seed_high: Math.floor(seed / 2 ** 32) };
  return (r, name, features) => {
    const y = r.tiled(features, name);
    r.run(minibatch, { buffers: { data: r.external(`${name}s`, 0), y }, params: { features, ...order } });
    return y;
  };
};

/** @param options `levels`: of integer data, 0 where they are numbers; `dim`: D. */
export function likelihood(
  { x, context }: DataSet,
  validation: (DataSet & { readonly rows: number }) | null,
  { count, seed, levels, dim }: { readonly count: number; readonly seed: number; readonly levels: number; readonly dim: number },
): Objective<FlowLayers> {
  const termsOf =
    (input: typeof recordInput): RecordTerms<FlowLayers> =>
    (r, { bijector, base, contextDim }) =>
      recordDensity(r, bijector, base, contextDim, (inner, name, features) => {
        const given = input(inner, name, features);
        return levels > 0 && name === 'x' ? recordNoise(inner, given, levels) : given;
      }).logProb;
  return {
    name: 'fit',
    terms: termsOf(shuffled(count, seed)),
    sign: -1,
    // log P(k) ≥ log p((k + u) / levels) − D log levels.
    shift: levels > 0 ? dim * Math.log(levels) : 0,
    period: count,
    data: {
      xs: x,
      ...(context && { contexts: context }),
      ...(validation && { x: validation.x }),
      ...(validation?.context && { context: validation.context }),
    },
    heldOut: validation && { rows: validation.rows, terms: termsOf(recordInput) },
  };
}
