// Reads a flow's tensors by name: shape, type and finiteness are checked, and what nobody asked for is an error at the end.

import { needs } from '../../format/needs.js';
import type { StoredTensor } from '../../format/safetensors.js';
import { FormatError } from '../../runtime/errors.js';
import type { RunningStatistics } from '../../runtime/tensor.js';

/** Float tensors that libraries store beside the parameters and that carry nothing a flow in evaluation mode needs. */
const BOOKKEEPING =
  /(^|\.)(num_batches_tracked|degrees|initialized|data_dep_init_done|inv_perm|perm|order|_permutation|identity_features|transform_features|mask)$/;

export class StateReader {
  readonly #tensors: ReadonlyMap<string, StoredTensor>;
  readonly #used = new Set<string>();
  readonly #parameters = new Set<string>();
  readonly #norms = new Map<string, string>();

  /** @param holdsPlaces each learned number is its own place, so that what is made of them has no meaning as a matrix: a check of it is void. */
  constructor(
    tensors: ReadonlyMap<string, StoredTensor>,
    readonly holdsPlaces = false,
  ) {
    this.#tensors = tensors;
  }

  /** Numbers in the learned tensors that were read so far. */
  get parameterCount(): number {
    return [...this.#parameters].reduce((sum, name) => sum + (this.#tensors.get(name)?.data.length ?? 0), 0);
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** @throws FormatError where the tensor is missing. */
  shapeOf(name: string): readonly number[] {
    return this.#get(name).shape;
  }

  /** A learned float32 tensor. `shape` may hold null where any size will do. @throws FormatError */
  parameter(name: string, shape: readonly (number | null)[]): Float32Array {
    this.#parameters.add(name);
    return this.#float(name, shape);
  }

  /** A learned tensor of one shape, or with an axis of 1 before it, as normflows stores one. @throws FormatError */
  row(name: string, shape: readonly number[]): Float32Array {
    return this.parameter(name, this.shapeOf(name).length === shape.length + 1 ? [1, ...shape] : shape);
  }

  /** A learned tensor, or null where the file has none. @throws FormatError */
  optional(name: string, shape: readonly (number | null)[]): Float32Array | null {
    return this.has(name) ? this.parameter(name, shape) : null;
  }

  /** A float32 tensor that is not learned: running statistics, a coupling mask. @throws FormatError */
  buffer(name: string, shape: readonly (number | null)[]): Float32Array {
    return this.#float(name, shape);
  }

  /** Running statistics of a batch norm, not learned. @throws FormatError */
  running(mean: string, variance: string, features: number, eps: number): RunningStatistics {
    this.#norms.set(mean, variance);
    return { mean: this.buffer(mean, [features]), variance: this.buffer(variance, [features]), eps };
  }

  /** Names of the means and the variances of all batch norms that were read. */
  get norms(): readonly (readonly [mean: string, variance: string])[] {
    return [...this.#norms];
  }

  /** A mask of zeros and ones, float32 or bool, or null where none is stored. @throws FormatError */
  mask(name: string, shape: readonly number[]): Uint8Array | null {
    if (!this.has(name)) return null;
    const tensor = this.#get(name);
    this.#checkShape(name, tensor.shape, shape);
    if (tensor.dtype !== 'F32' && tensor.dtype !== 'BOOL')
      throw new FormatError(name, `a mask needs dtype F32 or BOOL; got ${tensor.dtype}`);
    this.#used.add(name);
    const mask = new Uint8Array(tensor.data.length);
    for (const [index, value] of tensor.data.entries()) {
      if (value !== 0 && value !== 1) throw new FormatError(name, `a mask holds zeros and ones; got ${value} at ${index}`);
      mask[index] = Number(value);
    }
    return mask;
  }

  /** Checks that stored indices or times, where a description names their tensor, are those of the description. @throws FormatError */
  checkIndices(name: string, indices: readonly number[]): void {
    const tensor = this.#get(name);
    this.#used.add(name);
    const stored = Array.from(tensor.data as ArrayLike<number | bigint>, Number);
    const same = stored.length === indices.length && stored.every((value, i) => value === indices[i]);
    needs(same, name, `[${indices.join(', ')}], as the description says`, stored);
  }

  /** A tensor that must hold one value throughout: a base that a description calls standard normal. @throws FormatError */
  expectFilled(name: string, value: number): void {
    if (!this.has(name)) return;
    this.#used.add(name);
    const odd = Array.from(this.#get(name).data as ArrayLike<number | bigint>, Number).find((entry) => entry !== value);
    needs(odd === undefined, name, `${value} everywhere for the base of the description`, odd);
  }

  /**
   * Names of the learned tensors, in file order.
   * @throws FormatError for a float tensor that nothing read.
   */
  finish(): readonly string[] {
    for (const [name, tensor] of this.#tensors) {
      if (this.#used.has(name) || BOOKKEEPING.test(name)) continue;
      throw new FormatError(
        name,
        `${tensor.dtype} tensor [${tensor.shape.join(', ')}] is in the file, and nothing in the description reads it`,
      );
    }
    return [...this.#tensors.keys()].filter((name) => this.#parameters.has(name));
  }

  #float(name: string, shape: readonly (number | null)[]): Float32Array {
    const tensor = this.#get(name);
    needs(tensor.dtype === 'F32', name, 'dtype F32', tensor.dtype);
    this.#checkShape(name, tensor.shape, shape);
    const data = tensor.data as Float32Array;
    const bad = data.findIndex((value) => !Number.isFinite(value));
    needs(bad < 0, name, 'finite numbers', `${data[bad]} at ${bad}`);
    this.#used.add(name);
    return data;
  }

  #get(name: string): StoredTensor {
    const tensor = this.#tensors.get(name);
    if (!tensor) throw new FormatError(name, 'is named by the description and missing from the file');
    return tensor;
  }

  #checkShape(name: string, got: readonly number[], expected: readonly (number | null)[]): void {
    const fits = got.length === expected.length && expected.every((size, axis) => size === null || size === got[axis]);
    needs(fits, name, `shape [${expected.map((size) => size ?? '*').join(', ')}]`, got);
  }
}
