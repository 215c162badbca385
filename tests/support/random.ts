// Random inputs of tests. Fresh in every run, so that runs add up; a failure prints the seed, and VITE_TEST_SEED repeats it.

import { uniformGenerator } from '../../src/flows/recipes/initial.js';

export class Random {
  readonly #uniform: () => number;

  constructor(readonly seed: number) {
    this.#uniform = uniformGenerator(seed);
  }

  /** In [0, 1). */
  uniform(): number {
    return this.#uniform();
  }

  /** Integer in [0, below). */
  integer(below: number): number {
    return Math.floor(this.#uniform() * below);
  }

  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.#uniform())) * Math.cos(2 * Math.PI * this.#uniform());
  }

  /** Standard normals times `scale`, rounded to float32. */
  normals(count: number, scale = 1): Float32Array<ArrayBuffer> {
    return Float32Array.from({ length: count }, () => scale * this.normal());
  }

  /** 0 … count − 1 in random order. */
  permutation(count: number): number[] {
    const order = Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    return order;
  }
}

const given = import.meta.env.VITE_TEST_SEED;

/** A seed for this run. */
export const freshSeed = (): number => (given === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(given));
