// Results first, times afterwards: a flow whose numbers are wrong is not worth a time.

import { StandardNormal } from '../../src/flows/bases/standard-normal.js';
import type { Flow } from '../../src/index.js';
import { pack } from '../../src/kernels/pack.js';
import type { Gpu } from '../../src/runtime/gpu.js';
import type { Program } from '../../src/runtime/program.js';
import { Recorder } from '../../src/runtime/recorder.js';
import type { ReferenceFlow } from './reference.js';
import type { ErrorFigure } from './results.js';

/** Wrong indices, masks or signs are off by 1; float32 by 1e-6 or so, times the condition of the flow. */
const LIMIT = 1e-4;

/** Runs a program once and reads one of its externals. */
export async function runProgram(gpu: Gpu, program: Program, name: string, rows: number, seed = 0): Promise<Float32Array> {
  const residents = gpu.residents();
  const executable = await gpu.compile(program, residents);
  const count = rows * program.externals[name]!.features;
  const buffer = gpu.memory.acquire(count * 4);
  const encoder = gpu.device.createCommandEncoder();
  executable.encode(encoder, { rows, seed, externals: { [name]: buffer } });
  const ticket = gpu.readback.copy(encoder, buffer, count);
  gpu.device.queue.submit([encoder.finish()]);
  const result = await ticket.read();
  gpu.memory.release(buffer);
  executable.dispose();
  residents.dispose();
  return result;
}

/** The noise that a flow with a standard normal base draws for a seed. */
function noise(gpu: Gpu, dim: number, rows: number, seed: number): Promise<Float32Array> {
  const r = new Recorder('noise');
  const tensor = new StandardNormal(dim).sample(r);
  r.run(pack.unpack, { buffers: { tensor, result: r.external('z', dim) }, params: { features: dim, is_context: 0 } });
  return runProgram(gpu, r.finish(), 'z', rows, seed);
}

/** `count` rows of `rows`, from the first to the last. */
export const spread = (rows: number, count: number): number[] =>
  [...new Set(Array.from({ length: Math.min(rows, count) }, (_, i) => Math.round((i * (rows - 1)) / Math.max(1, count - 1))))].sort(
    (a, b) => a - b,
  );

/** Keeps a NaN: it must fail. */
export const worse = (worst: number, error: number): number => (error <= worst ? worst : error);

const mixed = (got: number, expected: number): number => Math.abs(got - expected) / Math.max(1, Math.abs(expected));

export interface Checked {
  readonly x: Float32Array;
  readonly errors: readonly ErrorFigure[];
}

/** A draw of `count` rows, and what is wrong with it: some rows against float64, all rows by the round trip. */
export async function checkFlow(
  gpu: Gpu,
  flow: Flow,
  reference: ReferenceFlow,
  options: { count: number; seed: number; checkedRows: number },
): Promise<Checked> {
  const { count, seed } = options;
  const { dim } = flow;
  const z = await noise(gpu, dim, count, seed);
  const x = await flow.sample(count, { seed });
  const logProb = await flow.logProb(x);
  const back = (await flow.forward(x)).z;
  let sample = 0;
  let density = 0;
  let roundTrip = 0;
  for (const row of spread(count, options.checkedRows)) {
    const own = x.subarray(row * dim, (row + 1) * dim);
    const expected = reference.inverse(z.subarray(row * dim, (row + 1) * dim)).value;
    for (const [i, value] of own.entries()) sample = worse(sample, mixed(value, expected[i]!));
    density = worse(density, mixed(logProb[row]!, reference.logProb(own)));
  }
  for (const [i, value] of back.entries()) roundTrip = worse(roundTrip, mixed(value, z[i]!));
  return {
    x,
    errors: [
      { of: 'sample', value: sample, limit: LIMIT },
      { of: 'logProb', value: density, limit: LIMIT },
      { of: 'round trip', value: roundTrip, limit: LIMIT },
    ],
  };
}
