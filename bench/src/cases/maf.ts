// A MAF of the size that papers train: density and sampling side by side, and what is left of them in each kernel.

import { maf } from '../../../src/index.js';
import type { Profile } from '../../../src/runtime/profiler.js';
import { kernelOf, total } from '../compile.js';
import { interleave, type Timed, wall } from '../measure.js';
import { ReferenceFlow } from '../reference.js';
import { gigabytes, type KernelShare, perSecond, type Row, refused, row, type TaskProfile, within } from '../results.js';
import type { Bench } from '../run.js';
import type { MafSize } from '../settings.js';
import { summarize } from '../statistics.js';
import { bytesOf } from '../traffic.js';
import { checkFlow } from '../verify.js';
import { costOf, encodeTimer, type TaskCost } from './encode-timer.js';

const SEED = 1;

const title = ({ dim, hidden, layers, batch }: MafSize): string =>
  `D ${dim}, hidden ${hidden.join(' × ')}, ${layers} layers, ${batch} rows`;

/** Each kernel's dispatches in every round. */
function byKernel(profiles: readonly Profile[], { program, compiled }: TaskCost, rows: number): KernelShare[] {
  const kernels = [...new Set(program.commands.map(({ label }) => kernelOf(label)))];
  const found = kernels.map((kernel) => {
    const commands = [...program.commands.keys()].filter((index) => kernelOf(program.commands[index]!.label) === kernel);
    const sum = (of: (index: number) => number) => commands.reduce((before, index) => before + of(index), 0);
    const time = summarize(profiles.map((profile) => sum((index) => profile.commands[index]!.milliseconds)));
    const bytes = sum((index) => bytesOf(program.commands[index]!, rows));
    const compile = total(compiled.filter((each) => each.kernel === kernel));
    return { kernel, dispatches: commands.length, time, traffic: gigabytes(bytes, time), compile };
  });
  const whole = found.reduce((sum, { time }) => sum + time.median, 0);
  return found.map((each) => ({ ...each, share: each.time.median / whole })).sort((a, b) => b.share - a.share);
}

export async function measureMaf(bench: Bench): Promise<{ rows: Row[]; profiles: TaskProfile[] }> {
  const { gpu, settings, fma } = bench;
  const { batch, ...options } = settings.maf;
  const flow = await maf(gpu, { ...options, seed: SEED });
  const cost = await costOf(bench, flow, batch);
  const reference = new ReferenceFlow(await flow.save());
  const { x, errors } = await checkFlow(gpu, flow, reference, { count: batch, seed: SEED, checkedRows: settings.checkedRows });
  if (!errors.every(within)) {
    flow.dispose();
    return { rows: [refused('maf', title(settings.maf), errors)], profiles: [] };
  }
  const timer = await encodeTimer(bench, flow, batch);
  const profiles = { sample: [] as Profile[], logProb: [] as Profile[] };
  const profiled = async (task: 'sample' | 'logProb') => {
    const profile = await flow.profile(task, { count: batch });
    profiles[task].push(profile);
    return profile.commands.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  };
  const times = await interleave(
    {
      fma: fma.run,
      sample: timer.sample,
      logProb: timer.logProb,
      wholeSample: () => wall(() => flow.sample(batch, { seed: SEED })),
      wholeLogProb: () => wall(() => flow.logProb(x)),
      profileSample: () => profiled('sample'),
      profileLogProb: () => profiled('logProb'),
    },
    settings,
  );
  timer.dispose();
  flow.dispose();

  const ceiling = fma.rate(times.fma.time);
  const figures = (task: 'sample' | 'logProb', name: string, timed: Timed, base: Timed | null, note: string) => {
    const rate = perSecond(2 * reference.nonZeros * batch, timed.time, 'GFLOP/s');
    return row('maf', {
      name,
      ...timed,
      rate,
      ...cost[task].figures(timed.time),
      ofCeiling: rate.value / ceiling.value,
      ratio: base && { value: timed.time.median / base.time.median, to: 'logProb' },
      errors: errors.filter(({ of }) => (base ? of !== 'logProb' : of === 'logProb')),
      note,
    });
  };
  const shares = (task: 'sample' | 'logProb'): TaskProfile => ({
    task: `${task}, ${title(settings.maf)}`,
    method: profiles[task][0]!.method,
    kernels: byKernel(profiles[task].slice(settings.warmup), cost[task], batch),
  });
  return {
    rows: [
      row('maf', { name: 'multiply-adds, 1 GFLOP, same rounds', ...times.fma, rate: ceiling }),
      figures('logProb', 'logProb', times.logProb, null, title(settings.maf)),
      figures('sample', 'sample', times.sample, times.logProb, title(settings.maf)),
      figures('logProb', 'logProb, sum of dispatches', times.profileLogProb, null, 'Flow.profile'),
      figures('sample', 'sample, sum of dispatches', times.profileSample, times.profileLogProb, 'Flow.profile'),
      figures('logProb', 'logProb, arrays', times.wholeLogProb, null, 'by the wall: upload, encode, run, read back'),
      figures('sample', 'sample, arrays', times.wholeSample, times.wholeLogProb, 'by the wall: encode, run, read back'),
    ],
    profiles: [shares('logProb'), shares('sample')],
  };
}
