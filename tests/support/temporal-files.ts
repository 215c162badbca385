// Files of small temporal flows, as PyTorch would write them.

import { type StoredTensor, writeSafetensors } from '../../src/format/safetensors.js';

/** A state_dict with an LSTM named `rnn` and a flow named `step`. */
export function stateDict(recurrent: Record<string, [number[], number[]]>, flow: ReadonlyMap<string, StoredTensor>): Uint8Array {
  const tensors = new Map<string, StoredTensor>();
  for (const [name, [shape, data]] of Object.entries(recurrent))
    tensors.set(`rnn.${name}`, { dtype: 'F32', shape, data: Float32Array.from(data) });
  for (const [name, tensor] of flow) tensors.set(`step.${name}`, tensor);
  return writeSafetensors(tensors);
}

export const oneUnit = {
  version: 1,
  features: 1,
  cell: { type: 'lstm', hidden: 1, layers: 1, prefix: 'rnn' },
  flow_prefix: 'step',
  flow: {
    version: 1,
    features: 1,
    context_features: 1,
    base: { type: 'standard_normal' },
    structure_direction: 'density',
    structure: [
      { op: 'ar_affine', form: 'mu_s', net: { type: 'masked_mlp', linears: ['0', '1'], activation: 'identity', context_proj: 'c' } },
    ],
  },
};

const float = (shape: number[], ...data: number[]): StoredTensor => ({ dtype: 'F32', shape, data: Float32Array.from(data) });

/** mu = h, log scale 0. */
export const shiftByState = new Map<string, StoredTensor>([
  ['0.weight', float([1, 1], 0)],
  ['0.bias', float([1], 0)],
  ['0.mask', float([1, 1], 0)],
  ['1.weight', float([2, 1], 1, 0)],
  ['1.bias', float([2], 0, 0)],
  ['1.mask', float([2, 1], 1, 1)],
  ['c.weight', float([1, 1], 1)],
  ['c.bias', float([1], 0)],
]);
