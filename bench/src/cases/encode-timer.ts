// Time of the command streams that the library records for a caller: no upload, no readback.

import { ownFlow } from '../../../src/flows/flow.js';
import type { Flow } from '../../../src/index.js';
import type { Program } from '../../../src/runtime/program.js';
import { COPY_DST, COPY_SRC, STORAGE } from '../../../src/runtime/usage.js';
import { type Compiled, total } from '../compile.js';
import { repetitions, type Spent, shared } from '../measure.js';
import { gigabytes } from '../results.js';
import type { Bench } from '../run.js';
import type { Statistics } from '../statistics.js';
import { bytesOf } from '../traffic.js';

export interface TaskCost {
  readonly program: Program;
  readonly compiled: readonly Compiled[];
  /** What a row says of it beside its time. */
  readonly figures: (time: Statistics) => { readonly traffic: number; readonly compile: number };
}

/** Pipelines and bytes of both directions for `count` rows. */
export async function costOf(bench: Bench, flow: Flow, count: number): Promise<Record<'sample' | 'logProb', TaskCost>> {
  const cost = async (task: 'sample' | 'logProb'): Promise<TaskCost> => {
    const { program, compiled } = await bench.compileTimes.of(ownFlow('bench', flow).record(task));
    const bytes = program.commands.reduce((sum, command) => sum + bytesOf(command, count), 0);
    return { program, compiled, figures: (time) => ({ traffic: gigabytes(bytes, time), compile: total(compiled) }) };
  };
  return { sample: await cost('sample'), logProb: await cost('logProb') };
}

export interface EncodeTimer {
  /** One draw. */
  readonly sample: () => Promise<Spent>;
  /** The log-density of that draw. */
  readonly logProb: () => Promise<Spent>;
  dispose(): void;
}

export async function encodeTimer({ gpu, watch, settings }: Bench, flow: Flow, count: number): Promise<EncodeTimer> {
  const { device } = gpu;
  const { target } = settings;
  await flow.prepare({ count });
  const usage = STORAGE | COPY_SRC | COPY_DST;
  const x = device.createBuffer({ label: 'x', size: count * flow.dim * 4, usage });
  const density = device.createBuffer({ label: 'log p(x)', size: count * 4, usage });
  const timed = async (record: (encoder: GPUCommandEncoder) => void) => {
    const run = async (times: number) => {
      const spent = await watch.gpu((encoder) => {
        for (let i = 0; i < times; i++) record(encoder);
      });
      return shared(spent, times);
    };
    // The first time makes bind groups and scratch. Where it is far above the target anyway, there is nothing to repeat.
    const first = (await run(1)).gpu;
    const times = first > 10 * target ? 1 : repetitions((await run(1)).gpu, target);
    return () => run(times);
  };
  return {
    sample: await timed((encoder) => flow.encodeSample(encoder, { count, seed: 1, into: x })),
    logProb: await timed((encoder) => flow.encodeLogProb(encoder, x, { count, into: density })),
    dispose() {
      x.destroy();
      density.destroy();
    },
  };
}
