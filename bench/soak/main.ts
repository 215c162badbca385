// Trains one flow for as long as asked, and prints what is held; scripts/soak.mjs drives it.

import { drawToy, toys } from '../../examples/data/toys.js';
import { fit, Gpu, realNVP } from '../../src/index.js';

async function soak(minutes: number, every: number): Promise<void> {
  const gpu = await Gpu.request();
  const flow = await realNVP(gpu, { dim: 2, layers: 6, hidden: [64, 64], seed: 1 });
  const toy = toys[0]!;
  const controller = new AbortController();
  const began = performance.now();
  let next = every;
  const training = fit(flow, drawToy(toy, 50_000, 1), {
    steps: 1_000_000,
    batch: 512,
    schedule: 'constant',
    validation: drawToy(toy, 2000, 2),
    validateEvery: 500,
    signal: controller.signal,
    onProgress: async ({ step, loss }) => {
      const seconds = (performance.now() - began) / 1000;
      if (seconds > 60 * minutes) controller.abort(new Error('enough'));
      if (seconds < next) return;
      next += every;
      const page = (await window.pageBytes()) / 2 ** 20;
      const { bytes } = gpu.memory.usage;
      const cells = [(seconds / 60).toFixed(1).padStart(7), `${step}`.padStart(8), loss.toFixed(3).padStart(6), `${bytes}`.padStart(11)];
      await window.printRow(`${cells.join(' ')} ${page.toFixed(2).padStart(8)}`);
    },
  });
  await training.catch((error: Error) => {
    if (error.message !== 'enough') throw error;
  });
  gpu.dispose();
}

declare global {
  interface Window {
    soak: typeof soak;
    printRow(row: string): Promise<void>;
    pageBytes(): Promise<number>;
  }
}

window.soak = soak;
