// A flow for pictures and games: two features, small networks. Here a draw is mostly dispatches, submission and readback.

import { type Flow, realNVP } from '../../../src/index.js';
import { COPY_SRC, STORAGE } from '../../../src/runtime/usage.js';
import { interleave, type Timed, wall } from '../measure.js';
import { ReferenceFlow } from '../reference.js';
import { perSecond, type Row, refused, row, within } from '../results.js';
import type { Bench } from '../run.js';
import { checkFlow } from '../verify.js';
import { costOf, encodeTimer } from './encode-timer.js';

const SEED = 1;
const OPTIONS = { dim: 2, layers: 8, hidden: [64, 64], seed: SEED } as const;
const ABOUT = 'D 2, 8 couplings, hidden 64 × 64';

/** Milliseconds of a frame of 60 a second. */
const FRAME = 1000 / 60;
const TILE = 64;
/** Rows whose samples are 64 MiB: where a frame has room for more, the row says so many. */
const MOST = 2 ** 23;

const rowsOf = (count: number): string => `${count} ${count === 1 ? 'row' : 'rows'}`;

export async function measureSmall(bench: Bench): Promise<Row[]> {
  const { gpu, settings } = bench;
  const flow = await realNVP(gpu, OPTIONS);
  const reference = new ReferenceFlow(await flow.save());
  const rows: Row[] = [];
  for (const batch of settings.small.batches) {
    bench.progress(`small: ${batch} rows`);
    const cost = await costOf(bench, flow, batch);
    const checked = await checkFlow(gpu, flow, reference, { count: batch, seed: SEED, checkedRows: 8 * settings.checkedRows });
    const errors = checked.errors.filter(({ of }) => of !== 'logProb');
    if (!errors.every(within)) {
      rows.push(refused('small', `sample, ${rowsOf(batch)}`, errors));
      continue;
    }
    const timer = await encodeTimer(bench, flow, batch);
    const times = await interleave({ draw: timer.sample, arrays: () => wall(() => flow.sample(batch, { seed: SEED })) }, settings);
    timer.dispose();
    const figures = (name: string, timed: Timed, note: string) =>
      row('small', {
        name: `${name}, ${rowsOf(batch)}`,
        ...timed,
        rate: perSecond(batch, timed.time, 'samples/s'),
        ...cost.sample.figures(timed.time),
        errors,
        note,
      });
    rows.push(figures('sample', times.draw, ABOUT), figures('sample, arrays', times.arrays, 'by the wall, with readback'));
  }
  bench.progress('small: what fits in a frame');
  rows.push(await measureFrame(bench, flow, reference));
  flow.dispose();
  return rows;
}

/** The largest draw, in whole tiles, that takes no longer than a frame. */
async function measureFrame(bench: Bench, flow: Flow, reference: ReferenceFlow): Promise<Row> {
  const { gpu, settings, watch } = bench;
  const name = 'sample, what a frame of 16.7 ms has room for';
  const into = gpu.device.createBuffer({ size: MOST * flow.dim * 4, usage: STORAGE | COPY_SRC });
  const draw = (count: number) => () => watch.gpu((encoder) => flow.encodeSample(encoder, { count, seed: SEED, into }));
  try {
    let [fits, exceeds] = [0, MOST + TILE];
    for (let count = 1024, tries = 0; exceeds - fits > TILE && tries < 12; tries++) {
      await flow.prepare({ count });
      const spent = await interleave({ draw: draw(count) }, { warmup: 1, rounds: 3, budget: 1 });
      const { median } = spent.draw.time;
      if (median <= FRAME) fits = count;
      else exceeds = count;
      const next = Math.floor((count * FRAME) / Math.max(median, 0.01) / TILE) * TILE;
      count = Math.min(exceeds - TILE, Math.max(fits + TILE, next, TILE));
    }
    fits = Math.max(fits, TILE);
    let timed = (await interleave({ draw: draw(fits) }, settings)).draw;
    // The search looked at few rounds, and the machine may have slowed down since.
    while (timed.time.median > FRAME && fits > TILE) {
      fits = Math.max(TILE, Math.floor((0.8 * fits) / TILE) * TILE);
      timed = (await interleave({ draw: draw(fits) }, settings)).draw;
    }
    const checked = await checkFlow(gpu, flow, reference, { count: fits, seed: SEED, checkedRows: 8 * settings.checkedRows });
    const errors = checked.errors.filter(({ of }) => of !== 'logProb');
    if (!errors.every(within)) return refused('small', name, errors);
    const note = timed.time.median > FRAME ? `none: these are ${TILE} samples` : `${fits} samples`;
    return row('small', { name, ...timed, rate: perSecond(fits, timed.time, 'samples/s'), errors, note });
  } finally {
    into.destroy();
  }
}
