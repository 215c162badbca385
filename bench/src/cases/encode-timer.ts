// GPU time of the command streams that the library records for a caller: no upload, no readback.

import type { Flow } from '../../../src/index.js';
import { COPY_DST, COPY_SRC, STORAGE } from '../../../src/runtime/usage.js';
import { repetitions, type Stopwatch } from '../measure.js';
import type { Settings } from '../settings.js';

export interface EncodeTimer {
  /** Milliseconds of one draw. */
  readonly sample: () => Promise<number>;
  /** Milliseconds of the log-density of that draw. */
  readonly logProb: () => Promise<number>;
  dispose(): void;
}

export async function encodeTimer(
  watch: Stopwatch,
  device: GPUDevice,
  flow: Flow,
  count: number,
  { target }: Settings,
): Promise<EncodeTimer> {
  await flow.prepare({ count });
  const usage = STORAGE | COPY_SRC | COPY_DST;
  const x = device.createBuffer({ label: 'x', size: count * flow.dim * 4, usage });
  const density = device.createBuffer({ label: 'log p(x)', size: count * 4, usage });
  const timed = async (record: (encoder: GPUCommandEncoder) => void) => {
    const run = async (times: number) => {
      const milliseconds = await watch.gpu((encoder) => {
        for (let i = 0; i < times; i++) record(encoder);
      });
      return milliseconds / times;
    };
    // The first time makes bind groups and scratch. Where it is far above the target anyway, there is nothing to repeat.
    const first = await run(1);
    const times = first > 10 * target ? 1 : repetitions(await run(1), target);
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
