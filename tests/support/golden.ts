// Golden cases as objects: description, weights and float64 values. See tests/golden/README.md.

import { readSafetensors, type StoredTensor } from '../../src/format/safetensors.js';
import gradientIndex from '../golden/gradients.json';
import index from '../golden/index.json';

export const goldenNames: readonly string[] = index;

export interface GoldenCase {
  readonly name: string;
  readonly description: Record<string, unknown>;
  readonly weights: ArrayBuffer;
  readonly io: ReadonlyMap<string, StoredTensor>;
  /** The PyTorch library's own float32 error against float64, by tensor. */
  readonly observed: Record<string, { max_abs: number; rms_abs: number; max_mixed: number }>;
}

const urls = import.meta.glob('../golden/*/{case.json,weights.safetensors,io.safetensors,grad.safetensors}', {
  query: '?url',
  import: 'default',
  eager: true,
}) as Record<string, string>;

/** Cases with gradients. */
export const gradientNames: readonly string[] = gradientIndex;

export interface GoldenGradients {
  readonly loss: number;
  /** d mean(−log p(x)) / d parameter, float64. */
  readonly gradients: ReadonlyMap<string, StoredTensor>;
  /** PyTorch's own float32 error: over a tensor the largest |error| beside the root mean square, then the worst and the median tensor. */
  readonly observed: { readonly worst: number; readonly median: number };
}

export async function loadGoldenGradients(name: string): Promise<GoldenGradients> {
  const [description, file] = await Promise.all(['case.json', 'grad.safetensors'].map((part) => fetch(urls[`../golden/${name}/${part}`]!)));
  const { grad } = await description!.json();
  return { loss: grad.loss, gradients: readSafetensors(await file!.arrayBuffer()).tensors, observed: grad.float32_max_over_rms };
}

export async function loadGolden(name: string): Promise<GoldenCase> {
  const read = async (file: string) => {
    const response = await fetch(urls[`../golden/${name}/${file}`]!);
    if (!response.ok) throw new Error(`golden case ${name}: ${file} is missing`);
    return response;
  };
  const description = await (await read('case.json')).json();
  const weights = await (await read('weights.safetensors')).arrayBuffer();
  const io = readSafetensors(await (await read('io.safetensors')).arrayBuffer()).tensors;
  return { name, description, weights, io, observed: description.observed.float32_vs_float64 };
}

/** A tensor as float64 numbers. */
export function numbers(io: GoldenCase['io'], name: string): Float64Array {
  const tensor = io.get(name);
  if (!tensor) throw new Error(`golden tensor ${name} is missing`);
  return Float64Array.from(tensor.data as ArrayLike<number | bigint>, Number);
}

/** An input, exact in float32. */
export function input(io: GoldenCase['io'], name: string): Float32Array | undefined {
  const tensor = io.get(name);
  return tensor && Float32Array.from(tensor.data as ArrayLike<number | bigint>, Number); // class labels are int64
}
