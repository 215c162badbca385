// The same training in every library: first whether the losses agree, then the time of a step, in turn.

import type { Flow, Gpu } from '../../src/index.js';
import { wall } from '../src/measure.js';
import { type Ratio, ratioOf, type Statistics, summarize } from '../src/statistics.js';
import type { Contestant } from './contestant.js';
import { jaxJs } from './jax.js';
import type { Problem } from './problems.js';
import { pushforward } from './pushforward.js';
import { tensorFlow } from './tensorflow.js';

export const libraries = ['pushforward', 'jax-js', 'TensorFlow.js'] as const;
export type Library = (typeof libraries)[number];

export interface Options {
  readonly rounds: number;
  /** Steps whose losses are compared. */
  readonly checked: number;
  /** A block of steps takes about so long, ms. */
  readonly target: number;
}

export interface Timing {
  readonly library: Library;
  /** Milliseconds of a step. */
  readonly time: Statistics;
  /** Steps in each timed block. */
  readonly block: number;
  /** From a new device to the loss of the first step, with all that is compiled for it, ms. */
  readonly first: number;
  /** Its time over ours, of the same round: the median of the rounds, and the middle half of them. */
  readonly ratio: Ratio;
}

export interface Comparison {
  readonly problem: string;
  /** The loss in front of each checked step, nats. */
  readonly losses: Readonly<Record<Library, readonly number[]>>;
  /** Largest difference from ours. */
  readonly difference: Readonly<Record<Library, number>>;
  /** Null where losses disagree: what is wrong is not timed. */
  readonly timings: readonly Timing[] | null;
  readonly wrong: readonly string[];
}

/** Nats by which losses may differ. */
export const TOLERANCE = 1e-3;

type Build = (gpu: Gpu) => Promise<Flow>;

const start = (library: Library, problem: Problem, build: Build): Promise<Contestant> =>
  ({ pushforward: () => pushforward(build, problem), 'jax-js': () => jaxJs(problem), 'TensorFlow.js': () => tensorFlow(problem) })[
    library
  ]();

const byLibrary = <T>(make: (library: Library) => T): Record<Library, T> =>
  Object.fromEntries(libraries.map((library) => [library, make(library)])) as Record<Library, T>;

/** What is wrong with the losses, as sentences. */
function complaints(problem: string, losses: Record<Library, readonly number[]>): string[] {
  const wrong: string[] = [];
  const ours = losses.pushforward;
  for (const library of libraries) {
    const at = losses[library].findIndex((loss, step) => !(Math.abs(loss - ours[step]!) <= TOLERANCE));
    if (at >= 0)
      wrong.push(
        `${problem}: after ${at} steps the loss of ${library} is ${losses[library][at]}, that of pushforward ${ours[at]}; they may differ by ${TOLERANCE}`,
      );
  }
  const fall = ours[0]! - ours.at(-1)!;
  if (!(fall > 10 * TOLERANCE))
    wrong.push(`${problem}: ${ours.length - 1} steps lowered the loss by ${fall} alone, too little to compare gradients by`);
  return wrong;
}

export async function compare(problem: Problem, build: Build, options: Options, progress: (text: string) => void): Promise<Comparison> {
  const contestants = new Map<Library, Contestant>();
  const losses = byLibrary<number[]>(() => []);
  const first = byLibrary(() => 0);
  try {
    for (const library of libraries) {
      progress(`${problem.name}: ${library}, losses of ${options.checked} steps`);
      first[library] = await wall(async () => {
        const contestant = await start(library, problem, build);
        contestants.set(library, contestant);
        losses[library].push(...(await contestant.losses(1)));
      });
      losses[library].push(...(await contestants.get(library)!.losses(options.checked - 1)));
    }
    const wrong = complaints(problem.name, losses);
    const difference = byLibrary((library) => Math.max(...losses[library].map((loss, step) => Math.abs(loss - losses.pushforward[step]!))));
    const timings = wrong.length > 0 ? null : await time(problem, contestants, first, options, progress);
    return { problem: problem.name, losses, difference, timings, wrong };
  } finally {
    for (const contestant of contestants.values()) contestant.dispose();
  }
}

async function time(
  problem: Problem,
  contestants: ReadonlyMap<Library, Contestant>,
  first: Record<Library, number>,
  { rounds, target }: Options,
  progress: (text: string) => void,
): Promise<Timing[]> {
  const samples = byLibrary<number[]>(() => []);
  const blocks = byLibrary(() => 1);
  const block = async (library: Library): Promise<number> => {
    const { advance } = contestants.get(library)!;
    return (await wall(() => advance(blocks[library]))) / blocks[library];
  };
  // The checked steps warmed up already. Twice, since the first guess is of a single step with its round trip.
  for (const library of libraries)
    for (let guess = 0; guess < 2; guess++) blocks[library] = Math.max(2, Math.min(100, Math.round(target / (await block(library)))));
  for (let round = 0; round < rounds; round++) {
    progress(`${problem.name}: round ${round + 1} of ${rounds}`);
    for (const library of round % 2 === 0 ? libraries : libraries.toReversed()) samples[library].push(await block(library));
  }
  return libraries.map((library) => ({
    library,
    time: summarize(samples[library]),
    block: blocks[library],
    first: first[library],
    ratio: ratioOf(samples[library], samples.pushforward),
  }));
}
