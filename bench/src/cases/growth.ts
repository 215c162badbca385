// What a layer's sampling costs as the number of features grows. Inverting a MADE with one network pass a feature costs D passes; here
// each unit is computed once, so the cost should follow the open weights of one pass.

import { GpuFlow } from '../../../src/flows/flow.js';
import { type Flow, maf } from '../../../src/index.js';
import { TASK_KIND, TASK_WORDS } from '../../../src/kernels/autoregressive-solve.js';
import { interleave } from '../measure.js';
import { ReferenceFlow } from '../reference.js';
import { short } from '../report.js';
import { type ErrorFigure, type Growth, type GrowthPoint, perSecond, type Row, refused, row, within } from '../results.js';
import type { Bench } from '../run.js';
import { fitPower } from '../statistics.js';
import { checkFlow } from '../verify.js';
import { type EncodeTimer, encodeTimer } from './encode-timer.js';

const SEED = 1;

interface Prepared {
  readonly dim: number;
  readonly flow: Flow;
  readonly nonZeros: number;
  readonly multiplyAdds: number;
  readonly errors: readonly ErrorFigure[];
  readonly timer: EncodeTimer | null;
}

/** Multiply-adds that the solve's task list holds for one row, padding included: what a time above one pass may come from. */
function solveMultiplyAdds(flow: Flow): number {
  if (!(flow instanceof GpuFlow)) throw new Error('growth: a flow of another class');
  let sum = 0;
  for (const { tensors } of flow.record('sample').commands) {
    const { tasks } = tensors;
    if (tasks?.kind !== 'constant') continue;
    for (let at = 0; at < tasks.data.length; at += TASK_WORDS) {
      const kind = tasks.data[at]!;
      if (kind !== TASK_KIND.feature) sum += tasks.data[at + 1]! * (8 >> kind); // strips of 8, 4 and 2 units
    }
  }
  return sum;
}

export async function measureGrowth(bench: Bench): Promise<{ rows: Row[]; growth: Growth | null }> {
  const { gpu, settings, watch, fma } = bench;
  const { dims, hidden, batch } = settings.growth;
  const prepared: Prepared[] = [];
  for (const dim of dims) {
    bench.progress(`growth: D ${dim}`);
    const flow = await maf(gpu, { dim, hidden, layers: 1, seed: SEED });
    const reference = new ReferenceFlow(await flow.save());
    const { errors } = await checkFlow(gpu, flow, reference, { count: batch, seed: SEED, checkedRows: settings.checkedRows });
    const timer = errors.every(within) ? await encodeTimer(watch, gpu.device, flow, batch, settings) : null;
    prepared.push({ dim, flow, nonZeros: reference.nonZeros, multiplyAdds: solveMultiplyAdds(flow), errors, timer });
  }
  // All sizes in every round: the fit compares sizes, so a drift must not fall on some of them.
  const variants: Record<string, () => Promise<number>> = { fma: fma.run };
  for (const { dim, timer } of prepared) {
    if (!timer) continue;
    variants[`sample ${dim}`] = timer.sample;
    variants[`logProb ${dim}`] = timer.logProb;
  }
  bench.progress('growth: timing');
  const times = await interleave(variants, settings);
  for (const { flow, timer } of prepared) {
    timer?.dispose();
    flow.dispose();
  }

  const ceiling = fma.rate(times.fma!);
  const rows: Row[] = [row('growth', { name: 'multiply-adds, 1 GFLOP, same rounds', time: times.fma!, rate: ceiling })];
  const points: GrowthPoint[] = [];
  for (const { dim, nonZeros, multiplyAdds, errors } of prepared) {
    const sample = times[`sample ${dim}`];
    const logProb = times[`logProb ${dim}`];
    if (!sample || !logProb) {
      rows.push(refused('growth', `D ${dim}`, errors));
      continue;
    }
    const maskedFlops = 2 * nonZeros * batch;
    for (const [task, time] of Object.entries({ logProb, sample })) {
      const rate = perSecond(maskedFlops, time, 'GFLOP/s');
      const isSample = task === 'sample';
      rows.push(
        row('growth', {
          name: `${task}, D ${dim}`,
          time,
          rate,
          ofCeiling: rate.value / ceiling.value,
          ratio: isSample ? { value: sample.median / logProb.median, to: 'logProb' } : null,
          errors: errors.filter(({ of }) => (isSample ? of !== 'logProb' : of === 'logProb')),
          note: isSample
            ? `${(multiplyAdds / nonZeros).toFixed(2)} × the open weights; ${dim} passes would take ${short(dim * logProb.median)} ms`
            : `hidden ${hidden.join(' × ')}, ${batch} rows`,
        }),
      );
    }
    points.push({
      dim,
      sample: sample.median,
      logProb: logProb.median,
      passes: dim * logProb.median,
      maskedFlops,
      solveFlops: 2 * multiplyAdds * batch,
    });
  }
  return { rows, growth: points.length >= 2 ? fits(points) : null };
}

function fits(points: readonly GrowthPoint[]): Growth {
  const column = (key: keyof GrowthPoint) => points.map((point) => point[key]);
  const exponent = (of: keyof GrowthPoint, against: keyof GrowthPoint) => ({ of, against, ...fitPower(column(against), column(of)) });
  return {
    points,
    fits: [
      exponent('sample', 'maskedFlops'),
      exponent('sample', 'solveFlops'),
      exponent('logProb', 'maskedFlops'),
      exponent('sample', 'dim'),
      exponent('logProb', 'dim'),
      exponent('maskedFlops', 'dim'),
      exponent('passes', 'dim'),
    ],
  };
}
