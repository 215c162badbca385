// A MAF of the size that papers train: density and sampling side by side, and what is left of them in each kernel.

import { Gpu, maf } from '../../../src/index.js';
import type { Profile } from '../../../src/runtime/profiler.js';
import { interleave, wall } from '../measure.js';
import { ReferenceFlow } from '../reference.js';
import { type KernelShare, perSecond, type Row, refused, row, type TaskProfile, within } from '../results.js';
import type { Bench } from '../run.js';
import { adapterRequest, type Settings } from '../settings.js';
import { type Statistics, summarize } from '../statistics.js';
import { checkFlow } from '../verify.js';
import { encodeTimer } from './encode-timer.js';

const SEED = 1;

export const title = ({ maf: { dim, hidden, layers, batch } }: Settings): string =>
  `D ${dim}, hidden ${hidden.join(' × ')}, ${layers} layers, ${batch} rows`;

/** Building and compiling on a device of its own. The first is cold; browsers keep compiled shaders, so later ones may not be. */
export async function measureCompile(bench: Bench): Promise<Row[]> {
  const { settings } = bench;
  const { batch, ...options } = settings.maf;
  const samples = { build: [] as number[], prepare: [] as number[], again: [] as number[] };
  for (let i = 0; i < Math.max(2, Math.ceil(settings.rounds / 3)); i++) {
    const gpu = await Gpu.request(adapterRequest);
    for (const kind of ['prepare', 'again'] as const) {
      const begin = performance.now();
      const flow = await maf(gpu, { ...options, seed: SEED });
      samples.build.push(performance.now() - begin);
      samples[kind].push(await wall(() => flow.prepare({ count: batch })));
      flow.dispose();
    }
    gpu.dispose();
  }
  const [cold, ...warm] = samples.prepare;
  const timed = (name: string, values: readonly number[], note: string) => row('compile', { name, time: summarize(values), note });
  return [
    timed('build: weights, masks, plans', samples.build, 'CPU'),
    timed('prepare: first device', [cold!], 'records, packs, compiles every kernel of both directions'),
    timed('prepare: later devices', warm, "may find the browser's shader cache"),
    timed('prepare: same device again', samples.again, 'pipelines are there: records and packs'),
  ];
}

/** Median of each dispatch over the rounds, summed by kernel: the last part of a label. */
function byKernel(profiles: readonly Profile[]): KernelShare[] {
  const kernels = new Map<string, { dispatches: number; milliseconds: number }>();
  let total = 0;
  for (const [index, { label }] of profiles[0]!.commands.entries()) {
    const kernel = label.slice(label.lastIndexOf('/') + 1);
    const { median } = summarize(profiles.map(({ commands }) => commands[index]!.milliseconds));
    const known = kernels.get(kernel) ?? { dispatches: 0, milliseconds: 0 };
    kernels.set(kernel, { dispatches: known.dispatches + 1, milliseconds: known.milliseconds + median });
    total += median;
  }
  return [...kernels]
    .map(([kernel, { dispatches, milliseconds }]) => ({ kernel, dispatches, milliseconds, share: milliseconds / total }))
    .sort((a, b) => b.milliseconds - a.milliseconds);
}

export async function measureMaf(bench: Bench): Promise<{ rows: Row[]; profiles: TaskProfile[] }> {
  const { gpu, settings, watch, fma } = bench;
  const { batch, ...options } = settings.maf;
  const flow = await maf(gpu, { ...options, seed: SEED });
  const reference = new ReferenceFlow(await flow.save());
  const { x, errors } = await checkFlow(gpu, flow, reference, { count: batch, seed: SEED, checkedRows: settings.checkedRows });
  if (!errors.every(within)) {
    flow.dispose();
    return { rows: [refused('maf', title(settings), errors)], profiles: [] };
  }
  const timer = await encodeTimer(watch, gpu.device, flow, batch, settings);
  const profiles = { sample: [] as Profile[], logProb: [] as Profile[] };
  const profiled = async (task: 'sample' | 'logProb') => {
    const profile = await flow.profile(task, { count: batch });
    profiles[task].push(profile);
    return profile.commands.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  };
  const times = await interleave(
    {
      fma: fma.run,
      gpuSample: timer.sample,
      gpuLogProb: timer.logProb,
      wallSample: () => wall(() => flow.sample(batch, { seed: SEED })),
      wallLogProb: () => wall(() => flow.logProb(x)),
      profileSample: () => profiled('sample'),
      profileLogProb: () => profiled('logProb'),
    },
    settings,
  );
  timer.dispose();
  flow.dispose();

  const ceiling = fma.rate(times.fma);
  const figures = (name: string, time: Statistics, base: Statistics | null, note: string) => {
    const rate = perSecond(2 * reference.nonZeros * batch, time, 'GFLOP/s');
    return row('maf', {
      name,
      time,
      rate,
      ofCeiling: rate.value / ceiling.value,
      ratio: base && { value: time.median / base.median, to: 'logProb' },
      errors: errors.filter(({ of }) => (base ? of !== 'logProb' : of === 'logProb')),
      note,
    });
  };
  const shares = (task: 'sample' | 'logProb'): TaskProfile => ({
    task: `${task}, ${title(settings)}`,
    method: profiles[task][0]!.method,
    kernels: byKernel(profiles[task].slice(settings.warmup)),
  });
  return {
    rows: [
      row('maf', { name: 'multiply-adds, 1 GFLOP, same rounds', time: times.fma, rate: ceiling }),
      figures('logProb, GPU', times.gpuLogProb, null, title(settings)),
      figures('sample, GPU', times.gpuSample, times.gpuLogProb, title(settings)),
      figures('logProb, GPU, sum of dispatches', times.profileLogProb, null, 'Flow.profile'),
      figures('sample, GPU, sum of dispatches', times.profileSample, times.profileLogProb, 'Flow.profile'),
      figures('logProb, wall', times.wallLogProb, null, 'upload, encode, run, read back'),
      figures('sample, wall', times.wallSample, times.wallLogProb, 'encode, run, read back'),
    ],
    profiles: [shares('logProb'), shares('sample')],
  };
}
