// One linear layer of this library by itself: rows in, rows out, through its own packing and kernel.

import { packLinear, recordLinear } from '../../src/flows/conditioner/packing.js';
import { recordInput, recordOutput } from '../../src/flows/task.js';
import type { Gpu } from '../../src/index.js';
import { Recorder } from '../../src/runtime/recorder.js';
import { runOnArrays } from '../../src/runtime/run-arrays.js';
import type { Contestant, Data } from './ops.js';

export async function linearLayer(gpu: Gpu, x: Data, weight: Data, bias: Data): Promise<Contestant> {
  const [inputs, outputs] = weight.shape as [number, number];
  const rows = x.shape[0]!;
  const turned = Float32Array.from(weight.data, (_, at) => weight.data[(at % inputs) * outputs + Math.floor(at / inputs)]!);
  const r = new Recorder('bench');
  const y = r.tiled(outputs, 'y');
  const packed = packLinear({ weight: turned, bias: bias.data, inputs });
  recordLinear(r, packed, recordInput(r, 'x', inputs), y, { label: 'layer' });
  recordOutput(r, 'y', y);
  const residents = gpu.residents();
  const executable = await gpu.compile(r.finish(), residents);
  return {
    run: async () => {
      const result = new Float32Array(rows * outputs);
      await runOnArrays(gpu, executable, 'bench', { rows, seed: 0, contextStride: 0, inputs: { x: x.data }, outputs: { y: result } });
      return result;
    },
    dispose: () => {
      executable.dispose();
      residents.dispose();
    },
  };
}
