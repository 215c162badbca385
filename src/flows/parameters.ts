import type { StoredTensor } from '../format/safetensors.js';

/** Learned tensors by name, as copies: what the caller does to them does not reach the flow. */
export function copyParameters(state: {
  readonly parameterNames: readonly string[];
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}): Record<string, { shape: number[]; data: Float32Array }> {
  const parameters: Record<string, { shape: number[]; data: Float32Array }> = {};
  for (const name of state.parameterNames) {
    const { shape, data } = state.tensors.get(name)!;
    parameters[name] = { shape: [...shape], data: Float32Array.from(data as Float32Array) };
  }
  return parameters;
}
