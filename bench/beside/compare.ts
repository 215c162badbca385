// The same task in every library: first whether the numbers agree, then the time, in turn.

import { Gpu } from '../../src/index.js';
import { wall } from '../src/measure.js';
import { adapterRequest } from '../src/settings.js';
import { type Ratio, ratioOf, type Statistics, summarize } from '../src/statistics.js';
import { jaxJs } from './jax.js';
import { onnxRuntime } from './onnx.js';
import type { Contestant } from './ops.js';
import type { Problem } from './problems.js';
import { tensorFlow } from './tensorflow.js';

export const libraries = ['pushforward', 'jax-js', 'TensorFlow.js', 'ONNX Runtime Web, WebGPU', 'ONNX Runtime Web, WASM'] as const;
export type Library = (typeof libraries)[number];

export interface Options {
  readonly rounds: number;
  /** Passes that are timed of those that the slow direction takes elsewhere; their time is scaled up to all of them. */
  readonly passes: number;
}

export interface Timing {
  readonly library: Library;
  /** Milliseconds of the whole task. */
  readonly time: Statistics;
  /** Passes that were timed, of how many. */
  readonly passes: readonly [timed: number, whole: number];
  /** From a new session to the first result, ms. */
  readonly first: number;
  /** Largest |theirs − ours| / max(1, |ours|). */
  readonly difference: number;
  /** Its time over ours, of the same round: median and the middle half. */
  readonly ratio: Ratio;
}

export interface Comparison {
  readonly problem: string;
  readonly about: string;
  /** Null where results disagree: what is wrong is not timed. */
  readonly timings: readonly Timing[] | null;
  readonly wrong: readonly string[];
}

/** Relative to max(1, |value|): wrong formulas are off by far more, float32 by a thousandth of it. */
export const TOLERANCE = 2e-3;

const others: Readonly<Record<Exclude<Library, 'pushforward'>, (problem: Problem) => Promise<Contestant>>> = {
  'jax-js': jaxJs,
  'TensorFlow.js': tensorFlow,
  'ONNX Runtime Web, WebGPU': (problem) => onnxRuntime(problem, 'webgpu'),
  'ONNX Runtime Web, WASM': (problem) => onnxRuntime(problem, 'wasm'),
};

/** Largest difference of the numbers that so many passes settle; NaN counts. */
function difference({ rows, places }: Problem, passes: number, theirs: Float32Array, ours: Float32Array): number {
  const [theirWidth, ourWidth] = [theirs.length / rows, ours.length / rows];
  let worst = 0;
  for (let row = 0; row < rows; row++)
    for (const [their, own] of places(passes)) {
      const expected = ours[row * ourWidth + own]!;
      const error = Math.abs(theirs[row * theirWidth + their]! - expected) / Math.max(1, Math.abs(expected));
      if (!(error <= worst)) worst = error;
    }
  return worst;
}

export async function compare(
  make: (gpu: Gpu) => Promise<Problem>,
  { rounds, passes: asked }: Options,
  progress: (text: string) => void,
): Promise<Comparison> {
  const gpu = await Gpu.request(adapterRequest);
  const contestants = new Map<Library, Contestant>();
  try {
    const problem = await make(gpu);
    const passes = Math.min(asked, problem.passes);
    const first = new Map<Library, number>();
    const results = new Map<Library, Float32Array>();
    for (const library of libraries) {
      progress(`${problem.name}: ${library}, first result`);
      const took = await wall(async () => {
        const contestant = library === 'pushforward' ? await problem.ours(gpu) : await others[library](problem);
        contestants.set(library, contestant);
        results.set(library, await contestant.run(passes));
      });
      first.set(library, took);
    }
    const ours = results.get('pushforward')!;
    const errors = new Map(
      libraries.map((library) => [library, library === 'pushforward' ? 0 : difference(problem, passes, results.get(library)!, ours)]),
    );
    const wrong = libraries
      .filter((library) => !(errors.get(library)! <= TOLERANCE))
      .map(
        (library) =>
          `${problem.name}: the result of ${library} differs from that of pushforward by ${errors.get(library)}; it may by ${TOLERANCE}`,
      );
    const { name, about } = problem;
    if (wrong.length > 0) return { problem: name, about, timings: null, wrong };
    const samples = new Map<Library, number[]>(libraries.map((library) => [library, []]));
    for (let round = 0; round < rounds; round++) {
      progress(`${name}: round ${round + 1} of ${rounds}`);
      for (const library of round % 2 === 0 ? libraries : libraries.toReversed()) {
        const scale = library === 'pushforward' ? 1 : problem.passes / passes;
        samples.get(library)!.push(scale * (await wall(() => contestants.get(library)!.run(passes))));
      }
    }
    const timings = libraries.map(
      (library): Timing => ({
        library,
        time: summarize(samples.get(library)!),
        passes: library === 'pushforward' ? [1, 1] : [passes, problem.passes],
        first: first.get(library)!,
        difference: errors.get(library)!,
        ratio: ratioOf(samples.get(library)!, samples.get('pushforward')!),
      }),
    );
    return { problem: name, about, timings, wrong };
  } finally {
    for (const contestant of contestants.values()) await contestant.dispose();
    gpu.dispose();
  }
}
