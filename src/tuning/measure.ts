// Times the variants of one command on the device that will run it, after their results agreed.

import { uniformGenerator } from '../flows/recipes/initial.js';
import { CompileError } from '../runtime/errors.js';
import { Executable } from '../runtime/executable.js';
import type { Gpu } from '../runtime/gpu.js';
import type { Kernel } from '../runtime/kernel.js';
import { type Command, createProgram } from '../runtime/program.js';
import { Residents } from '../runtime/residents.js';
import { paddedRows, type Tensor, TILE } from '../runtime/tensor.js';
import { COPY_DST, COPY_SRC, STORAGE } from '../runtime/usage.js';

/** Results may differ by rounding, which a solve carries from feature to feature: |a − b| / max(1, |b|). */
const TOLERANCE = 1e-3;
/** A submission is made to take so long, so that its round trip (0.1 to 0.3 ms) does not count. */
const TARGET = 10;
const MOST_REPEATS = 256;
const ROUNDS = 5;

export interface Measured {
  readonly milliseconds: Record<string, number>;
  readonly refused: Record<string, string>;
}

/** Numbers in [−0.5, 0.5), always the same. */
function numbers(length: number): Float32Array<ArrayBuffer> {
  const uniform = uniformGenerator(1);
  return Float32Array.from({ length }, () => uniform() - 0.5);
}

/** The command alone: what others would write and read are buffers of the caller, computed weights are constants. */
function alone(command: Command): Command {
  const tensors = Object.entries(command.tensors).map(([name, tensor]): [string, Tensor] => {
    if (tensor.kind === 'constant') return [name, tensor];
    if (tensor.kind === 'table') return [name, { kind: 'constant', data: numbers(tensor.length), dtype: 'f32', label: name }];
    return [name, { kind: 'tiled', id: -1, features: Math.max(1, tensor.features), dtype: 'f32', label: name, state: name }];
  });
  return { ...command, tensors: Object.fromEntries(tensors), stage: undefined };
}

const agree = (a: Float32Array, b: Float32Array): boolean =>
  a.every((value, i) => Object.is(value, b[i]) || Math.abs(value - b[i]!) <= TOLERANCE * Math.max(1, Math.abs(b[i]!)));

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

/**
 * Medians of the command's own kernel and of those variants that give its results, in turn over the rounds.
 *
 * @param rows of the batch.
 * @param variants without the kernel itself.
 */
export async function measure(gpu: Gpu, command: Command, variants: readonly Kernel[], rows: number): Promise<Measured> {
  const { device, memory } = gpu;
  const residents = new Residents(gpu, 'measurement');
  const program = createProgram([alone(command)]);
  const externals: Record<string, GPUBuffer> = {};
  const contents = new Map<GPUBuffer, Float32Array<ArrayBuffer>>();
  const refused: Record<string, string> = {};
  try {
    for (const [name, { features }] of Object.entries(program.externals)) {
      const data = numbers(paddedRows(rows) * features);
      externals[name] = memory.create({ label: `measurement ${name}`, size: data.byteLength, usage: STORAGE | COPY_DST | COPY_SRC });
      contents.set(externals[name], data);
    }
    const run = async (executable: Executable, times: number): Promise<number> => {
      const encoder = device.createCommandEncoder({ label: 'measurement' });
      executable.encodeAll(encoder, Array<{ rows: number; externals: typeof externals }>(times).fill({ rows, externals }));
      const begin = performance.now();
      device.queue.submit([encoder.finish()]);
      await device.queue.onSubmittedWorkDone();
      gpu.assertAlive();
      return (performance.now() - begin) / times;
    };
    /** What it writes for the first tile of rows, from fresh contents. */
    const resultOf = async (executable: Executable): Promise<Float32Array> => {
      for (const [buffer, data] of contents) device.queue.writeBuffer(buffer, 0, data);
      await run(executable, 1);
      const encoder = device.createCommandEncoder({ label: 'measurement' });
      const written = Object.entries(program.externals).filter(([, { access }]) => access === 'read_write');
      const tickets = written.map(([name, { features }]) => gpu.readback.copy(encoder, externals[name]!, TILE * features));
      device.queue.submit([encoder.finish()]);
      const parts = await Promise.all(tickets.map((ticket) => ticket.read()));
      return Float32Array.from(parts.flatMap((part) => [...part].filter((_, i) => i % TILE < rows)));
    };
    const prepared = new Map<string, { executable: Executable; repeats: number; times: number[] }>();
    let expected: Float32Array | null = null;
    for (const kernel of [command.kernel, ...variants]) {
      const { name } = kernel.source;
      try {
        const pipeline = await gpu.pipelines.get(command, kernel);
        const executable = new Executable(gpu, program, { many: [pipeline], few: [pipeline] }, residents);
        const result = await resultOf(executable);
        expected ??= result;
        if (!agree(result, expected)) {
          refused[name] = 'gives other results';
          continue;
        }
        const once = await run(executable, 1);
        prepared.set(name, { executable, repeats: Math.min(MOST_REPEATS, Math.max(1, Math.ceil(TARGET / once))), times: [] });
      } catch (error) {
        if (kernel === command.kernel || !(error instanceof CompileError)) throw error;
        refused[name] = 'does not compile here';
      }
    }
    const entries = [...prepared.values()];
    for (let round = 0; round < ROUNDS; round++)
      for (const entry of round % 2 === 0 ? entries : entries.toReversed()) entry.times.push(await run(entry.executable, entry.repeats));
    return { milliseconds: Object.fromEntries([...prepared].map(([name, { times }]) => [name, median(times)])), refused };
  } finally {
    residents.dispose();
    for (const buffer of Object.values(externals)) memory.destroy(buffer);
  }
}
