// The same task in every library: first whether the numbers are right, then the time, in turn.

import { devDependencies, version } from '../../package.json';
import { Gpu } from '../../src/index.js';
import { inTurn, repetitions, wall } from '../src/measure.js';
import { type ErrorFigure, perSecond, type Row, refused, row, within } from '../src/results.js';
import type { Bench } from '../src/run.js';
import { adapterRequest } from '../src/settings.js';
import { ratioOf, summarize } from '../src/statistics.js';
import { spread, worse } from '../src/verify.js';
import { type Dense, float64 } from './float64.js';
import { jaxJs } from './jax.js';
import { onnxRuntime } from './onnx.js';
import type { Contestant, Data } from './ops.js';
import { type Problem, problems } from './problems.js';
import { tensorFlow } from './tensorflow.js';

const OURS = 'pushforward';

interface Library {
  readonly version: string;
  readonly enter: (problem: Problem, gpu: Gpu) => Promise<Contestant>;
}

const libraries: Readonly<Record<string, Library>> = {
  [OURS]: { version, enter: (problem, gpu) => problem.ours(gpu) },
  'jax-js': { version: devDependencies['@jax-js/jax'], enter: jaxJs },
  'TensorFlow.js': { version: devDependencies['@tensorflow/tfjs-core'], enter: tensorFlow },
  'ONNX Runtime Web, WebGPU': { version: devDependencies['onnxruntime-web'], enter: (problem) => onnxRuntime(problem, 'webgpu') },
  'ONNX Runtime Web, WASM': { version: devDependencies['onnxruntime-web'], enter: (problem) => onnxRuntime(problem, 'wasm') },
};

/** Relative to max(1, |value|): wrong formulas are off by far more. */
const LIMIT = 1e-4;

/** Milliseconds in which a short call is repeated. */
const STEADY = 200;

/** Milliseconds of one call. The first of a short one is not among those that count: it comes after seconds of another library, to cold caches and sleeping threads. */
async function timeOf(call: () => Promise<unknown>): Promise<number> {
  const first = await wall(call);
  if (first > STEADY) return first;
  const times = repetitions(first, STEADY);
  const all = await wall(async () => {
    for (let i = 0; i < times; i++) await call();
  });
  return all / times;
}

export async function measureBeside(bench: Bench): Promise<Row[]> {
  const { beside } = bench.settings;
  const known = problems(beside);
  const chosen = Object.keys(known).filter((name) => name.toLowerCase().includes(beside.tasks.toLowerCase()));
  if (chosen.length === 0) throw new Error(`beside: no task has "${beside.tasks}" in its name; there are ${Object.keys(known).join(', ')}`);
  const rows: Row[] = [];
  for (const name of chosen) rows.push(...(await measureTask(bench, known[name]!)));
  return rows;
}

/** All passes in float64, on some rows. */
function exactly({ rows, state, noise, weights, graph, passes }: Problem, checked: readonly number[]): Dense {
  const dense = ({ data, shape }: Data): Dense => {
    const width = shape.at(-1)!;
    if (shape[0] !== rows) return { data: Float64Array.from(data), shape };
    const own = checked.flatMap((at) => [...data.subarray(at * width, (at + 1) * width)]);
    return { data: Float64Array.from(own), shape: [checked.length, width] };
  };
  const held = Object.fromEntries(
    Object.entries(weights).map(([name, { data, shape }]) => [name, { data: Float64Array.from(data), shape }] as const),
  );
  const z = dense(noise);
  let x = dense(state);
  for (let pass = 0; pass < passes; pass++) x = graph(float64, x, z, held);
  return x;
}

/** Largest error of the numbers that so many passes settle, in the checked rows. */
function errorOf(problem: Problem, checked: readonly number[], expected: Dense, passes: number, got: Float32Array, ours: boolean): number {
  const [width, expectedWidth] = [got.length / problem.rows, expected.shape.at(-1)!];
  let worst = 0;
  for (const [at, row] of checked.entries())
    for (const [their, own] of problem.places(passes)) {
      const value = expected.data[at * expectedWidth + their]!;
      worst = worse(worst, Math.abs(got[row * width + (ours ? own : their)]! - value) / Math.max(1, Math.abs(value)));
    }
  return worst;
}

/** Largest difference from our own result, in all rows. */
function difference({ rows, places }: Problem, passes: number, theirs: Float32Array, ours: Float32Array): number {
  const [theirWidth, ourWidth] = [theirs.length / rows, ours.length / rows];
  let worst = 0;
  for (let row = 0; row < rows; row++)
    for (const [their, own] of places(passes)) {
      const value = ours[row * ourWidth + own]!;
      worst = worse(worst, Math.abs(theirs[row * theirWidth + their]! - value) / Math.max(1, Math.abs(value)));
    }
  return worst;
}

async function measureTask(bench: Bench, make: (gpu: Gpu) => Promise<Problem>): Promise<Row[]> {
  const { settings, progress } = bench;
  const gpu = await Gpu.request(adapterRequest);
  const contestants = new Map<string, Contestant>();
  try {
    const problem = await make(gpu);
    const checked = spread(problem.rows, settings.checkedRows);
    const expected = exactly(problem, checked);
    const some = Math.min(settings.beside.passes, problem.passes);
    const passesOf = (library: string) => (library === OURS ? problem.passes : some);
    const first = new Map<string, number>();
    const errors = new Map<string, readonly ErrorFigure[]>();
    let ours!: Float32Array;
    for (const [library, { enter }] of Object.entries(libraries)) {
      progress(`beside: ${problem.name}, ${library}`);
      let result!: Float32Array;
      const took = await wall(async () => {
        const contestant = await enter(problem, gpu);
        contestants.set(library, contestant);
        result = await contestant.run(some);
      });
      first.set(library, took);
      const value = errorOf(problem, checked, expected, passesOf(library), result, library === OURS);
      const error = { of: 'result', value, limit: LIMIT };
      if (library === OURS) ours = result;
      const apart = { of: `from ${OURS}`, value: difference(problem, some, result, ours), limit: LIMIT };
      errors.set(library, library === OURS ? [error] : [error, apart]);
    }
    const right = [...contestants].filter(([library]) => errors.get(library)!.every(within));
    progress(`beside: ${problem.name}, timing`);
    const samples = await inTurn(
      Object.fromEntries(
        right.map(([library, contestant]) => [
          library,
          async () => (problem.passes / passesOf(library)) * (await timeOf(() => contestant.run(some))),
        ]),
      ),
      { ...settings, warmup: 0 }, // each has run once
    );
    return Object.entries(libraries).map(([library, { version: number }]) => {
      const name = `${problem.name}: ${library}`;
      const spent = samples[library] as readonly number[] | undefined;
      if (!spent) return refused('beside', name, errors.get(library)!);
      const time = summarize(spent);
      const base = library === OURS ? undefined : (samples[OURS] as readonly number[] | undefined);
      return row('beside', {
        name,
        time,
        rate: perSecond(problem.work.count, time, problem.work.unit),
        compile: first.get(library)!,
        ratio: base ? { value: ratioOf(spent, base).median, to: OURS } : null,
        errors: errors.get(library)!,
        note: [
          number,
          ...(library === OURS ? [problem.about] : []),
          ...(passesOf(library) < problem.passes ? [`${some} of ${problem.passes} passes timed`] : []),
        ].join('; '),
      });
    });
  } finally {
    for (const contestant of contestants.values()) await contestant.dispose();
    gpu.dispose();
  }
}
