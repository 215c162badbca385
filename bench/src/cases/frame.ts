// What a frame of an animation pays on the main thread for a draw: the time of recording it, and that it makes nothing which stays.

import { type Flow, type Gpu, maf, realNVP } from '../../../src/index.js';
import { creations } from '../../../tests/support/creations.js';
import { type ErrorFigure, type Row, refused, row, within } from '../results.js';
import type { Bench } from '../run.js';
import { summarize } from '../statistics.js';

declare global {
  /** Bytes that the page's heap holds after a collection; scripts/bench.mjs asks the browser. */
  var heapBytes: (() => Promise<number>) | undefined;
}

const SEED = 1;
/** Calls in one measurement: one takes about as long as two steps of the browser's clock. */
const CALLS = 5;
/** Bytes a frame. The heap of a page that keeps nothing scatters by 20 kB, 5 bytes a frame here; an object kept for each frame is more than this. */
const HEAP_LIMIT = 16;
const FRAMES = 4000;

/** Bytes in use, or null where neither a script nor the browser says. */
async function heap(): Promise<number | null> {
  if (globalThis.heapBytes) return globalThis.heapBytes();
  const { measureUserAgentSpecificMemory: measure } = performance as { measureUserAgentSpecificMemory?: () => Promise<{ bytes: number }> };
  try {
    return measure ? (await measure.call(performance)).bytes : null;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'SecurityError') return null; // not isolated, or not in a process of its own
    throw error;
  }
}

interface Case {
  readonly name: string;
  readonly note: string;
  readonly count: number;
  readonly make: (gpu: Gpu) => Promise<Flow>;
}

export async function measureFrames(bench: Bench): Promise<Row[]> {
  const { dim, hidden, layers, batch } = bench.settings.frame.maf;
  const cases: readonly Case[] = [
    {
      name: `encodeSample of a MAF, ${batch} rows`,
      note: `D ${dim}, hidden ${hidden.join(' × ')}, ${layers} layers`,
      count: batch,
      make: (gpu) => maf(gpu, { dim, hidden, layers, seed: SEED }),
    },
    {
      name: `encodeSample of a RealNVP, ${batch} rows`,
      note: 'D 2, 8 couplings, hidden 64 × 64',
      count: batch,
      make: (gpu) => realNVP(gpu, { dim: 2, layers: 8, hidden: [64, 64], seed: SEED }),
    },
  ];
  const rows: Row[] = [];
  for (const each of cases) {
    bench.progress(`frame: ${each.name}`);
    rows.push(await measureFrame(bench, each));
  }
  return rows;
}

async function measureFrame(bench: Bench, { name, note, count, make }: Case): Promise<Row> {
  const { gpu, settings, watch } = bench;
  const { device, memory } = gpu;
  const { rounds } = settings.frame;
  const flow = await make(gpu);
  await flow.prepare({ count });
  const into = memory.acquire(count * flow.dim * 4);
  // Never submitted: the queue would fill up and slow the calls that follow, and a slow adapter would take minutes.
  const frame = (calls: number): number => {
    const encoder = device.createCommandEncoder();
    const begin = performance.now();
    for (let call = 0; call < calls; call++) flow.encodeSample(encoder, { count, seed: SEED + call, into });
    const end = performance.now();
    encoder.finish();
    return (end - begin) / calls;
  };
  const many = async (times: number, calls: number): Promise<number[]> => {
    const samples: number[] = [];
    for (let round = 0; round < times; round++) {
      samples.push(frame(calls));
      if (round % 10 === 0) await watch.drain(); // the browser passes commands on in the background; it may catch up here
    }
    return samples;
  };
  await many(FRAMES, 1); // until the compiler has seen it often and every cache is filled
  const before = await heap();
  const { bytes } = memory.usage;
  const made = Object.values(await creations(device, () => many(FRAMES, 1))).reduce((sum, count) => sum + count, 0);
  const errors: ErrorFigure[] = [{ of: 'objects made', value: made, limit: 0 }];
  const after = await heap();
  errors.push({ of: 'GPU bytes kept', value: memory.usage.bytes - bytes, limit: 0 });
  if (before !== null && after !== null)
    errors.push({ of: 'heap bytes kept a frame', value: (after - before) / FRAMES, limit: HEAP_LIMIT });
  const time = errors.every(within) ? summarize(await many(rounds, CALLS)) : null;
  memory.release(into);
  flow.dispose();
  if (!time) return refused('frame', name, errors);
  const unknown = before === null ? '; this browser does not tell its heap' : '';
  return row('frame', { name, time, errors, note: `CPU: recording a draw, mean of ${CALLS} calls; ${note}${unknown}` });
}
