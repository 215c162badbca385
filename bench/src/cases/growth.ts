// What a MAF costs as one of its sizes grows: features, hidden units, rows, layers. Inverting a MADE with one network pass a feature costs D
// passes; here each unit is computed once, so the cost should follow the open weights of one pass.

import { type Flow, maf } from '../../../src/index.js';
import type { Program } from '../../../src/runtime/program.js';
import { interleave, type Variant } from '../measure.js';
import { ReferenceFlow } from '../reference.js';
import { short } from '../report.js';
import { type ErrorFigure, type Growth, type GrowthFit, type GrowthPoint, perSecond, type Row, refused, row, within } from '../results.js';
import type { Bench } from '../run.js';
import type { Axis, MafSize, Sweep } from '../settings.js';
import { fitPower } from '../statistics.js';
import { checkFlow } from '../verify.js';
import { costOf, type EncodeTimer, encodeTimer, type TaskCost } from './encode-timer.js';

const SEED = 1;

interface Prepared {
  readonly at: number;
  readonly size: MafSize;
  readonly flow: Flow;
  readonly nonZeros: number;
  readonly multiplyAdds: number;
  readonly cost: Record<'sample' | 'logProb', TaskCost>;
  readonly errors: readonly ErrorFigure[];
  readonly timer: EncodeTimer | null;
}

/** Multiply-adds of a sampling program for one row, padding included: what a time above one pass may come from. */
const solveMultiplyAdds = ({ commands }: Program): number =>
  commands.reduce((sum, { kernel, tensors, params }) => sum + (kernel.multiplyAdds?.({ buffers: tensors, params }) ?? 0), 0);

function sizeAt(base: MafSize, axis: Axis, at: number): MafSize {
  const changed: Record<Axis, Partial<MafSize>> = {
    D: { dim: at },
    hidden: { hidden: base.hidden.map(() => at) },
    batch: { batch: at },
    layers: { layers: at },
  };
  return { ...base, ...changed[axis] };
}

/** The sizes that stay. */
function aboutOf({ dim, hidden, layers, batch }: MafSize, axis: Axis): string {
  const parts: Record<Axis, string> = {
    D: `D ${dim}`,
    hidden: `hidden ${hidden.join(' × ')}`,
    batch: `${batch} rows`,
    layers: layers === 1 ? '1 layer' : `${layers} layers`,
  };
  return Object.entries(parts)
    .flatMap(([name, text]) => (name === axis ? [] : [text]))
    .join(', ');
}

export async function measureGrowth(bench: Bench): Promise<{ rows: Row[]; growth: Growth[] }> {
  const rows: Row[] = [];
  const growth: Growth[] = [];
  for (const sweep of bench.settings.growth) {
    const found = await measureSweep(bench, sweep);
    rows.push(...found.rows);
    if (found.growth) growth.push(found.growth);
  }
  return { rows, growth };
}

async function prepare(bench: Bench, size: MafSize, at: number): Promise<Prepared> {
  const { gpu, settings } = bench;
  const { batch, ...shape } = size;
  const flow = await maf(gpu, { ...shape, seed: SEED });
  const cost = await costOf(bench, flow, batch);
  const reference = new ReferenceFlow(await flow.save());
  const { errors } = await checkFlow(gpu, flow, reference, { count: batch, seed: SEED, checkedRows: settings.checkedRows });
  const timer = errors.every(within) ? await encodeTimer(bench, flow, batch) : null;
  return { at, size, flow, nonZeros: reference.nonZeros, multiplyAdds: solveMultiplyAdds(cost.sample.program), cost, errors, timer };
}

async function measureSweep(bench: Bench, { axis, values, base }: Sweep): Promise<{ rows: Row[]; growth: Growth | null }> {
  const { settings, fma } = bench;
  const prepared: Prepared[] = [];
  for (const at of values) {
    bench.progress(`growth: ${axis} ${at}`);
    prepared.push(await prepare(bench, sizeAt(base, axis, at), at));
  }
  // All sizes in every round: the fit compares sizes, so a drift must not fall on some of them.
  const variants: Record<string, Variant> = { fma: fma.run };
  for (const { at, timer } of prepared) {
    if (!timer) continue;
    variants[`sample ${at}`] = timer.sample;
    variants[`logProb ${at}`] = timer.logProb;
  }
  bench.progress(`growth: ${axis}, timing`);
  const times = await interleave(variants, { ...settings, budget: settings.budget / 2 }); // there are four of them
  for (const { flow, timer } of prepared) {
    timer?.dispose();
    flow.dispose();
  }

  const ceiling = fma.rate(times.fma!.time);
  const about = aboutOf(base, axis);
  const rows: Row[] = [row('growth', { name: `multiply-adds, 1 GFLOP, same rounds as ${axis}`, ...times.fma!, rate: ceiling })];
  const points: GrowthPoint[] = [];
  for (const { at, size, nonZeros, multiplyAdds, cost, errors } of prepared) {
    const [sample, logProb] = [times[`sample ${at}`], times[`logProb ${at}`]];
    if (!sample || !logProb) {
      rows.push(refused('growth', `${axis} ${at}`, errors));
      continue;
    }
    const maskedFlops = 2 * nonZeros * size.batch;
    const passes = size.dim * logProb.time.median;
    for (const task of ['logProb', 'sample'] as const) {
      const timed = { sample, logProb }[task];
      const rate = perSecond(maskedFlops, timed.time, 'GFLOP/s');
      const isSample = task === 'sample';
      rows.push(
        row('growth', {
          name: `${task}, ${axis} ${at}`,
          ...timed,
          rate,
          ...cost[task].figures(timed.time),
          ofCeiling: rate.value / ceiling.value,
          ratio: isSample ? { value: sample.time.median / logProb.time.median, to: 'logProb' } : null,
          errors: errors.filter(({ of }) => (isSample ? of !== 'logProb' : of === 'logProb')),
          note: isSample
            ? `${(multiplyAdds / nonZeros).toFixed(2)} × the open weights; ${size.dim} passes would take ${short(passes)} ms`
            : about,
        }),
      );
    }
    const solveFlops = 2 * multiplyAdds * size.batch;
    points.push({ at, sample: sample.time.median, logProb: logProb.time.median, passes, maskedFlops, solveFlops });
  }
  return { rows, growth: points.length >= 2 ? fit(axis, about, points) : null };
}

function fit(axis: Axis, about: string, points: readonly GrowthPoint[]): Growth {
  const law = (of: keyof GrowthPoint, some: readonly GrowthPoint[]) =>
    fitPower(
      some.map(({ at }) => at),
      some.map((point) => point[of]),
    );
  const fitOf = (of: GrowthFit['of'], some: readonly GrowthPoint[]) => ({
    ...law(of, some),
    arithmetic:
      of === 'sample' ? law('solveFlops', some).exponent : law('maskedFlops', some).exponent + (of === 'passes' && axis === 'D' ? 1 : 0),
  });
  const large = points.slice(Math.min(Math.floor(points.length / 2), points.length - 2));
  const fits = (['logProb', 'sample', 'passes'] as const).map((of) => ({ of, ...fitOf(of, points), large: fitOf(of, large) }));
  return { axis, about, points, fits };
}
