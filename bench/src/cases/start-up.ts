// From a file of weights to the first sample, on devices of their own: what a page waits for. Runs before anything has compiled the same.

import { ownFlow } from '../../../src/flows/flow.js';
import { type Flow, Gpu, importTorch, maf } from '../../../src/index.js';
import type { Command, Program } from '../../../src/runtime/program.js';
import { type GoldenCase, input, loadGolden, numbers } from '../../../tests/support/golden.js';
import { kernelOf } from '../compile.js';
import { interleave, wall } from '../measure.js';
import { type ErrorFigure, type Row, refused, row, within } from '../results.js';
import type { Bench } from '../run.js';
import { adapterRequest } from '../settings.js';
import { type Statistics, summarize } from '../statistics.js';
import { worse } from '../verify.js';

const SEED = 1;

async function onDevice<T>(body: (gpu: Gpu) => Promise<T>): Promise<T> {
  const gpu = await Gpu.request(adapterRequest);
  try {
    return await body(gpu);
  } finally {
    gpu.dispose();
  }
}

export async function measureStartUp(bench: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  for (const name of bench.settings.startUp.golden) {
    bench.progress(`start-up: ${name}`);
    rows.push(...(await measureImport(bench, await loadGolden(name))));
  }
  bench.progress('start-up: a recipe');
  return [...rows, ...(await measureRecipe(bench))];
}

/** Samples from the golden noise, against PyTorch's float64. */
async function check(flow: Flow, { io, observed }: GoldenCase): Promise<ErrorFigure> {
  const { x } = await flow.inverse(input(io, 'base_noise')!);
  const expected = numbers(io, 'sample');
  let value = 0;
  for (const [at, got] of x.entries()) value = worse(value, Math.abs(got - expected[at]!) / (1 + Math.abs(expected[at]!)));
  return { of: 'sample', value, limit: Math.max(1e-5, 20 * observed.sample!.max_mixed) }; // tests/golden/README.md
}

async function measureImport({ settings }: Bench, golden: GoldenCase): Promise<Row[]> {
  const { name, description, weights } = golden;
  const load = (gpu: Gpu) => importTorch(gpu, description, weights);
  /** From the call of importTorch until a sample is on the host. */
  const first = async (gpu: Gpu): Promise<number> => {
    const begin = performance.now();
    const flow = await load(gpu);
    await flow.sample(1, { seed: SEED });
    const end = performance.now();
    flow.dispose();
    return end - begin;
  };
  const again: number[] = [];
  let pipelines = 0;
  const started = () =>
    onDevice(async (gpu) => {
      const time = await first(gpu);
      pipelines = gpu.pipelines.size;
      again.push(await first(gpu));
      return time;
    });
  const cold = await started();
  const warm: number[] = [];
  for (let i = 0; i < Math.max(1, Math.ceil(settings.rounds / 3)); i++) warm.push(await started());
  const looked = await onDevice(async (gpu) => {
    const flow = await load(gpu);
    const error = await check(flow, golden);
    const program = ownFlow('bench', flow).record('sample');
    await flow.prepare({ count: 1 });
    return { error, program, both: gpu.pipelines.size };
  });
  const { error, program } = looked;
  if (!within(error)) return [refused('start-up', name, [error])];
  const compiling = await measureCompiling(program, settings.rounds);
  const title = (what: string) => `${name}: ${what}`;
  const line = (what: string, samples: readonly number[], note: string, fields: Partial<Row> = {}) =>
    row('start-up', { name: title(what), time: summarize(samples), note: `by the wall: ${note}`, ...fields });
  const parallel = compiling.together.median;
  return [
    line('importTorch to the first sample, cold', [cold], 'nothing of it compiled before', { errors: [error] }),
    line('the same, new device', warm, "may find the browser's shader cache", { errors: [error] }),
    line('the same, same device', again, 'pipelines are there', { errors: [error] }),
    row('start-up', {
      name: title('its pipelines, in parallel'),
      time: compiling.together,
      note: `by the wall: ${pipelines} compiled, ${looked.both} with the other direction`,
    }),
    row('start-up', {
      name: title('its pipelines, one after another'),
      time: compiling.apart,
      ratio: { value: compiling.apart.median / parallel, to: 'in parallel' },
      note: `by the wall; the longest ${compiling.longest.kernel}`,
    }),
    row('start-up', {
      name: title('its longest pipeline alone'),
      time: compiling.longest.time,
      ratio: { value: compiling.longest.time.median / parallel, to: 'in parallel' },
      note: 'by the wall',
    }),
  ];
}

interface Compiling {
  readonly together: Statistics;
  readonly apart: Statistics;
  readonly longest: { readonly kernel: string; readonly time: Statistics };
}

/** Compiles a program's pipelines at once and one after another, on new devices in turn. */
async function measureCompiling({ commands }: Program, rounds: number): Promise<Compiling> {
  const singles = new Map<Command, number[]>();
  const { together, apart } = await interleave(
    {
      together: () => onDevice((gpu) => wall(() => Promise.all(commands.map((command) => gpu.pipelines.get(command))))),
      apart: () =>
        onDevice(async (gpu) => {
          let sum = 0;
          for (const command of commands) {
            const { size } = gpu.pipelines;
            const spent = await wall(() => gpu.pipelines.get(command));
            if (gpu.pipelines.size === size) continue;
            sum += spent;
            singles.set(command, [...(singles.get(command) ?? []), spent]);
          }
          return sum;
        }),
    },
    { warmup: 0, rounds: Math.max(1, Math.ceil(rounds / 3)), budget: Number.POSITIVE_INFINITY },
  );
  const [longest] = [...singles]
    .map(([{ label }, samples]) => ({ kernel: kernelOf(label), time: summarize(samples) }))
    .sort((a, b) => b.time.median - a.time.median);
  return { together: together.time, apart: apart.time, longest: longest! };
}

/** A fresh flow: weights, masks, plans, and both directions made ready. */
async function measureRecipe({ settings }: Bench): Promise<Row[]> {
  const { batch, ...options } = settings.maf;
  const samples = { build: [] as number[], prepare: [] as number[], again: [] as number[] };
  await onDevice(async (gpu) => {
    for (const kind of ['prepare', 'again'] as const) {
      const begin = performance.now();
      const flow = await maf(gpu, { ...options, seed: SEED });
      samples.build.push(performance.now() - begin);
      samples[kind].push(await wall(() => flow.prepare({ count: batch })));
      flow.dispose();
    }
  });
  const timed = (name: string, values: readonly number[], note: string) =>
    row('start-up', { name: `maf: ${name}`, time: summarize(values), note });
  return [
    timed('build', samples.build, 'CPU: weights, masks, plans'),
    timed('prepare, new device', samples.prepare, 'by the wall: records, packs, compiles every kernel of both directions'),
    timed('prepare, same device', samples.again, 'by the wall: records and packs'),
  ];
}
