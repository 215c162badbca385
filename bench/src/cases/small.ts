// A flow for pictures and games: two features, small networks. Here a draw is mostly dispatches, submission and readback.

import { realNVP } from '../../../src/index.js';
import { interleave, wall } from '../measure.js';
import { ReferenceFlow } from '../reference.js';
import { perSecond, type Row, refused, row, within } from '../results.js';
import type { Bench } from '../run.js';
import { summarize } from '../statistics.js';
import { checkFlow } from '../verify.js';
import { encodeTimer } from './encode-timer.js';

const SEED = 1;
const OPTIONS = { dim: 2, layers: 8, hidden: [64, 64], seed: SEED } as const;

export async function measureSmall(bench: Bench): Promise<Row[]> {
  const { gpu, settings, watch } = bench;
  const { batches, encodeCount, encodeRounds } = settings.small;
  const flow = await realNVP(gpu, OPTIONS);
  const reference = new ReferenceFlow(await flow.save());
  const rows: Row[] = [];
  for (const batch of batches) {
    bench.progress(`small: ${batch} rows`);
    const { errors } = await checkFlow(gpu, flow, reference, { count: batch, seed: SEED, checkedRows: 8 * settings.checkedRows });
    if (!errors.every(within)) {
      rows.push(refused('small', `realNVP, ${batch} rows`, errors));
      continue;
    }
    const timer = await encodeTimer(watch, gpu.device, flow, batch, settings);
    const times = await interleave({ gpu: timer.sample, wall: () => wall(() => flow.sample(batch, { seed: SEED })) }, settings);
    timer.dispose();
    const shown = errors.filter(({ of }) => of !== 'logProb');
    const figures = (name: string, time: typeof times.gpu, note: string) =>
      row('small', {
        name: `${name}, ${batch} ${batch === 1 ? 'row' : 'rows'}`,
        time,
        rate: perSecond(batch, time, 'samples/s'),
        errors: shown,
        note,
      });
    rows.push(figures('sample, GPU', times.gpu, 'D 2, 8 couplings, hidden 64 × 64'), figures('sample, wall', times.wall, 'with readback'));
  }
  bench.progress('small: encodeSample');
  await flow.prepare({ count: encodeCount });
  rows.push(
    await measureEncode(bench, (encoder, into) => flow.encodeSample(encoder, { count: encodeCount, seed: SEED, into }), encodeRounds),
  );
  flow.dispose();
  return rows;
}

/** Calls in one measurement: one takes about as long as two steps of the browser's clock. */
const CALLS = 5;

/** CPU time of the call alone: a frame of an animation pays it on the main thread. */
async function measureEncode(bench: Bench, encode: (encoder: GPUCommandEncoder, into: GPUBuffer) => void, n: number): Promise<Row> {
  const { gpu, settings, watch } = bench;
  const { device, memory } = gpu;
  const { encodeCount } = settings.small;
  const into = memory.acquire(encodeCount * OPTIONS.dim * 4);
  const samples: number[] = [];
  const warmup = Math.ceil(n / 10);
  for (let round = -warmup; round < n; round++) {
    const encoder = device.createCommandEncoder();
    const begin = performance.now();
    for (let call = 0; call < CALLS; call++) encode(encoder, into);
    const end = performance.now();
    if (round >= 0) samples.push((end - begin) / CALLS);
    encoder.finish(); // never submitted: the queue would fill up and slow the calls that follow
    if (round % 10 === 0) await watch.drain(); // the browser passes commands on in the background; it may catch up here
  }
  memory.release(into);
  return row('small', {
    name: `encodeSample, CPU, ${encodeCount} rows`,
    time: summarize(samples),
    note: `recording one draw, no submission; each the mean of ${CALLS} calls`,
  });
}
