// ONNX Runtime Web: a session of one pass, on WebGPU with what passes on left on the device, or in WebAssembly with two threads.

import * as ort from 'onnxruntime-web/webgpu';
import { onnxModel } from './onnx-model.js';
import type { Contestant, Data, Task } from './ops.js';

export async function onnxRuntime(task: Task, provider: 'webgpu' | 'wasm'): Promise<Contestant> {
  ort.env.wasm.numThreads = 2;
  ort.env.logLevel = 'error';
  const session = await ort.InferenceSession.create(onnxModel(task), {
    executionProviders: [provider],
    ...(provider === 'webgpu' && { preferredOutputLocation: 'gpu-buffer' as const }),
  });
  const tensor = ({ data, shape }: Data) => new ort.Tensor('float32', data, [...shape]);
  const [first, noise] = [tensor(task.state), tensor(task.noise)];
  const named = (state: ort.Tensor) => (session.inputNames.includes('noise') ? { state, noise } : { state });
  return {
    run: async (passes) => {
      let x: ort.Tensor = first;
      for (let pass = 0; pass < passes; pass++) {
        const { next } = await session.run(named(x));
        if (x !== first) x.dispose();
        x = next as ort.Tensor;
      }
      const result = (await x.getData()) as Float32Array;
      x.dispose();
      return result;
    },
    dispose: () => session.release(),
  };
}
