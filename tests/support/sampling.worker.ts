// A module worker that draws and sends the draws back. The global object of a worker is narrower than the DOM's types say.

import { Gpu, maf } from '../../src/index.js';

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<{ count: number; seed: number }>) => void;
  postMessage: (message: { x?: Float32Array; error?: string }) => void;
};

scope.onmessage = async ({ data: { count, seed } }) => {
  try {
    using gpu = await Gpu.request();
    using flow = await maf(gpu, { dim: 3, layers: 2, hidden: [16], seed: 5 });
    scope.postMessage({ x: await flow.sample(count, { seed }) });
  } catch (error) {
    scope.postMessage({ error: String(error) });
  }
};
