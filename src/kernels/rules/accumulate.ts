// How derivative rules write gradients.

import type { GradientTarget } from '../../runtime/derivative.js';
import type { Recorder } from '../../runtime/recorder.js';
import { NONE, type TiledTensor } from '../../runtime/tensor.js';
import { multiplyAdd } from '../multiply-add.js';

/** Records target (+)= factor · a, or factor · a · b with b repeated over the features of a, in its features from `at` on. */
export function addProduct(r: Recorder, target: GradientTarget, a: TiledTensor, b: TiledTensor | null, factor = 1, at = 0): void {
  r.run(multiplyAdd, {
    buffers: { a, b: b ?? NONE, y: target.tensor },
    params: {
      features: a.features,
      a_features: a.features,
      a_at: 0,
      b_features: b?.features ?? 1,
      y_features: target.tensor.features,
      y_at: at,
      factor,
    },
    constants: { HAS_B: b !== null, ADD: target.add },
  });
}

/** Runs `record` on the target itself where it is fresh, else on a tensor that is then added to it. */
export function accumulate(r: Recorder, { tensor, add }: GradientTarget, record: (into: TiledTensor) => void): void {
  if (!add) {
    record(tensor);
    return;
  }
  const part = r.tiled(tensor.features, tensor.label);
  record(part);
  addProduct(r, { tensor, add }, part, null);
}

/** `accumulate`, or on a tensor that nobody reads where no gradient is wanted: for kernels that write several at once. */
export function accumulateOrDrop(r: Recorder, target: GradientTarget | null, features: number, record: (into: TiledTensor) => void): void {
  if (target) accumulate(r, target, record);
  else record(r.tiled(features, 'unused'));
}
