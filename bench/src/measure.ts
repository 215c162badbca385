// The clocks, and the order in which variants are run.

import { COPY_DST, COPY_SRC, MAP_MODE_READ, MAP_READ, QUERY_RESOLVE } from '../../src/runtime/usage.js';
import { type Statistics, summarize } from './statistics.js';

export type Method = 'timestamp-query' | 'wall-clock';

/** Time on the GPU of whatever is recorded between two timestamps. */
export class Stopwatch {
  readonly method: Method;
  readonly #device: GPUDevice;
  readonly #queries: GPUQuerySet | null;
  readonly #resolved: GPUBuffer | null;
  readonly #staging: GPUBuffer | null;

  constructor(device: GPUDevice) {
    const has = device.features.has('timestamp-query');
    this.method = has ? 'timestamp-query' : 'wall-clock';
    this.#device = device;
    this.#queries = has ? device.createQuerySet({ type: 'timestamp', count: 2 }) : null;
    this.#resolved = has ? device.createBuffer({ size: 16, usage: QUERY_RESOLVE | COPY_SRC }) : null;
    this.#staging = has ? device.createBuffer({ size: 16, usage: MAP_READ | COPY_DST }) : null;
  }

  drain(): Promise<undefined> {
    return this.#device.queue.onSubmittedWorkDone();
  }

  /** Milliseconds of what `encode` records, on an empty queue. Without timestamps this includes the round trip of the submission. */
  async gpu(encode: (encoder: GPUCommandEncoder) => void): Promise<number> {
    await this.drain();
    const stamps = await this.#stamps(encode);
    if (stamps) return Math.max(0, Number(stamps[1] - stamps[0]) / 1e6);
    const encoder = this.#device.createCommandEncoder();
    encode(encoder);
    const begin = performance.now();
    this.#device.queue.submit([encoder.finish()]);
    await this.drain();
    return performance.now() - begin;
  }

  /** Step of the GPU's clock in ns, as seen: browsers round timestamps (Chrome to 100 µs). null without timestamps. */
  async quantum(): Promise<number | null> {
    let divisor = 0n;
    for (let i = 0; i < 24; i++) {
      const stamps = await this.#stamps(() => {});
      if (!stamps) return null;
      for (let value of stamps) while (value > 0n) [divisor, value] = [value, divisor % value];
    }
    return Number(divisor);
  }

  /** The marks are passes of their own, so that any encoder of the library can be measured as it is. */
  async #stamps(encode: (encoder: GPUCommandEncoder) => void): Promise<readonly [bigint, bigint] | null> {
    const querySet = this.#queries;
    const resolved = this.#resolved;
    const staging = this.#staging;
    if (!querySet || !resolved || !staging) return null;
    const encoder = this.#device.createCommandEncoder();
    encoder.beginComputePass({ timestampWrites: { querySet, beginningOfPassWriteIndex: 0 } }).end();
    encode(encoder);
    encoder.beginComputePass({ timestampWrites: { querySet, endOfPassWriteIndex: 1 } }).end();
    encoder.resolveQuerySet(querySet, 0, 2, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, 16);
    this.#device.queue.submit([encoder.finish()]);
    await staging.mapAsync(MAP_MODE_READ);
    const [begin, end] = new BigUint64Array(staging.getMappedRange().slice(0));
    staging.unmap();
    return [begin!, end!];
  }
}

/** Wall time of one asynchronous call, on whatever the queue holds. */
export async function wall(call: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await call();
  return performance.now() - begin;
}

/** Smallest step of performance.now() seen, ms: 0.005 on an isolated page, 0.1 otherwise. */
export function clockStep(): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 20; i++) {
    const begin = performance.now();
    let now = begin;
    while (now === begin) now = performance.now();
    least = Math.min(least, now - begin);
  }
  return +least.toFixed(4);
}

/** How often to repeat something of `once` milliseconds within one measurement, so that a rounded clock does not matter. */
export const repetitions = (once: number, target: number, most = 64): number =>
  Math.max(1, Math.min(most, Math.ceil(target / Math.max(once, target / most))));

export interface Rounds {
  readonly warmup: number;
  readonly rounds: number;
  /** After so many seconds three rounds are enough: a slow adapter shall finish, and the table shows n. */
  readonly budget: number;
}

/**
 * Runs all variants once a round, so that a machine that slows down slows all of them: A B C, then C B A, and so on. Each gives its own
 * milliseconds.
 */
export async function interleave<N extends string>(
  variants: Readonly<Record<N, () => Promise<number>>>,
  { warmup, rounds, budget }: Rounds,
): Promise<Record<N, Statistics>> {
  const names = Object.keys(variants) as N[];
  const samples = new Map(names.map((name) => [name, [] as number[]]));
  const begin = performance.now();
  for (let round = -warmup; round < rounds; round++) {
    if (round >= 3 && performance.now() - begin > 1000 * budget) break;
    const order = round % 2 === 0 ? names : [...names].reverse();
    for (const name of order) {
      const milliseconds = await variants[name]();
      if (round >= 0) samples.get(name)!.push(milliseconds);
    }
  }
  return Object.fromEntries(names.map((name) => [name, summarize(samples.get(name)!)])) as Record<N, Statistics>;
}
