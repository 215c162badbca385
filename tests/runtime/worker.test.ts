// The library in a worker: nothing of it needs a document.

import { expect, test } from 'vitest';
import { maf } from '../../src/index.js';
import { expectSameBits } from '../support/buffers.js';
import { useGpu } from '../support/gpu.js';

const context = useGpu();

test('a module worker draws what the page draws', async () => {
  const worker = new Worker(new URL('../support/sampling.worker.ts', import.meta.url), { type: 'module' });
  const answer = new Promise<{ x?: Float32Array; error?: string }>((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message));
  });
  worker.postMessage({ count: 300, seed: 17 });
  const { x, error } = await answer;
  worker.terminate();
  expect(error).toBeUndefined();
  const flow = await maf(context.gpu, { dim: 3, layers: 2, hidden: [16], seed: 5 });
  expectSameBits(x!, await flow.sample(300, { seed: 17 }));
  flow.dispose();
});
