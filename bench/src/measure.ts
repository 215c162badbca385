// The clocks, and the order in which variants are run.

import { COPY_DST, COPY_SRC, MAP_MODE_READ, MAP_READ, QUERY_RESOLVE } from '../../src/runtime/usage.js';
import { type Statistics, summarize } from './statistics.js';

export type Method = 'timestamp-query' | 'wall-clock';

/** Milliseconds of one piece of work: on the GPU, and from the first recorded command until the host knows that it is done. */
export interface Spent {
  readonly gpu: number;
  readonly wall: number;
}

/** A piece's share of so many. */
export const shared = ({ gpu, wall }: Spent, times: number): Spent => ({ gpu: gpu / times, wall: wall / times });

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

  /** Time of what `encode` records, on an empty queue. Without timestamps the GPU's includes the round trip of the submission. */
  async gpu(encode: (encoder: GPUCommandEncoder) => void): Promise<Spent> {
    await this.drain();
    const begin = performance.now();
    const stamps = await this.#stamps(encode);
    if (stamps) return { gpu: Math.max(0, Number(stamps.end - stamps.begin) / 1e6), wall: stamps.done - begin };
    const encoder = this.#device.createCommandEncoder();
    encode(encoder);
    const submitted = performance.now();
    this.#device.queue.submit([encoder.finish()]);
    await this.drain();
    const done = performance.now();
    return { gpu: done - submitted, wall: done - begin };
  }

  /** Step of the GPU's clock in ns, as seen: browsers round timestamps (Chrome to 100 µs). null without timestamps. */
  async quantum(): Promise<number | null> {
    let divisor = 0n;
    for (let i = 0; i < 24; i++) {
      const stamps = await this.#stamps(() => {});
      if (!stamps) return null;
      for (let value of [stamps.begin, stamps.end]) while (value > 0n) [divisor, value] = [value, divisor % value];
    }
    return Number(divisor);
  }

  /** The marks are passes of their own, so that any encoder of the library can be measured as it is. */
  async #stamps(encode: (encoder: GPUCommandEncoder) => void): Promise<{ begin: bigint; end: bigint; done: number } | null> {
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
    await this.drain();
    const done = performance.now();
    await staging.mapAsync(MAP_MODE_READ);
    const [begin, end] = new BigUint64Array(staging.getMappedRange().slice(0));
    staging.unmap();
    return { begin: begin!, end: end!, done };
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

/** A measurement: milliseconds, on the GPU and by the wall where it has both. */
export type Variant = () => Promise<number | Spent>;

/** What a row shows of a variant. */
export interface Timed {
  readonly time: Statistics;
  /** From recording to the host's knowledge that it is done; null where `time` is a wall time itself. */
  readonly wall: Statistics | null;
}

/**
 * Runs all variants once a round, so that a machine that slows down slows all of them: A B C, then C B A, and so on. Each gives its own
 * milliseconds; those of the timed rounds come back in their order.
 */
export async function inTurn<N extends string>(
  variants: Readonly<Record<N, Variant>>,
  { warmup, rounds, budget }: Rounds,
): Promise<Record<N, (number | Spent)[]>> {
  const names = Object.keys(variants) as N[];
  const samples = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<N, (number | Spent)[]>;
  const begin = performance.now();
  for (let round = -warmup; round < rounds; round++) {
    if (round >= 3 && performance.now() - begin > 1000 * budget) break;
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const spent = await variants[name]();
      if (round >= 0) samples[name].push(spent);
    }
  }
  return samples;
}

/** `inTurn`, and order statistics of each. */
export async function interleave<N extends string>(variants: Readonly<Record<N, Variant>>, rounds: Rounds): Promise<Record<N, Timed>> {
  const samples = await inTurn(variants, rounds);
  const timed = (spent: readonly (number | Spent)[]): Timed => ({
    time: summarize(spent.map((each) => (typeof each === 'number' ? each : each.gpu))),
    wall: typeof spent[0] === 'number' ? null : summarize(spent.map((each) => (each as Spent).wall)),
  });
  return Object.fromEntries(Object.entries<(number | Spent)[]>(samples).map(([name, spent]) => [name, timed(spent)])) as Record<N, Timed>;
}
