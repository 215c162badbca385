// Times several ways of doing the same on the device that will run it, after their results agreed: variants of one command, or some commands and
// the one that they fuse to.

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
/** A submission is made to take so long beyond what an empty one takes: that is 0.1 to 0.3 ms in Chrome, and 12 ms in Deno, which polls. */
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

/** A recorded command, and its kernel or a variant of that. */
export type Choice = readonly [command: Command, kernel: Kernel];

/** What does the same, by name: variants of one command, or several commands and what they fuse to. */
export type Alternatives = Readonly<Record<string, readonly Choice[]>>;

/** Tiled tensors that all alternatives bind: what others would write and read. What one of them has for itself is scratch. */
function sharedBy(alternatives: readonly (readonly Command[])[]): Set<number> {
  const tiledOf = (commands: readonly Command[]) =>
    new Set(commands.flatMap(({ tensors }) => Object.values(tensors).flatMap((tensor) => (tensor.kind === 'tiled' ? tensor.id : []))));
  const [first, ...others] = alternatives.map(tiledOf);
  return new Set([...first!].filter((id) => others.every((ids) => ids.has(id))));
}

/** The commands alone: what they share with the alternatives are buffers of the caller, computed weights are constants. */
function alone(commands: readonly Command[], shared: ReadonlySet<number>, rows: number): Command[] {
  const free = (tensor: Tensor, label: string, written: boolean): Tensor => {
    if (tensor.kind === 'constant') return tensor;
    if (tensor.kind === 'table' && !written) return { kind: 'constant', data: numbers(tensor.length), dtype: 'f32', label };
    if (tensor.kind === 'tiled' && !shared.has(tensor.id)) return tensor;
    // Sums over rows are state as others are, of as many features as hold them.
    const features = tensor.kind === 'table' ? Math.ceil(tensor.length / paddedRows(rows)) : tensor.features;
    const state =
      tensor.kind === 'tiled' ? `tensor ${tensor.id}` : tensor.kind === 'table' ? `table ${tensor.id} ${tensor.from}` : tensor.name;
    return { kind: 'tiled', id: -1, features: Math.max(1, features), dtype: 'f32', label, state };
  };
  return commands.map((command) => ({
    ...command,
    tensors: Object.fromEntries(
      Object.entries(command.tensors).map(([name, tensor]) => [
        name,
        free(tensor, name, command.kernel.source.buffers[name]?.access === 'read_write'),
      ]),
    ),
    stage: undefined,
  }));
}

const agree = (a: Float32Array, b: Float32Array): boolean =>
  a.every((value, i) => Object.is(value, b[i]) || Math.abs(value - b[i]!) <= TOLERANCE * Math.max(1, Math.abs(b[i]!)));

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** What a promise gives, or null where it takes longer. */
async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), Math.min(milliseconds, 2 ** 31 - 1)); // what a timer can hold
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
    promise.catch(() => {}); // of one that nobody waits for any more
  }
}

/**
 * Medians of those alternatives that give the results of the first, in turn over the rounds.
 *
 * @param rows of the batch.
 * @param patience how long an alternative to the first may take to compile, milliseconds. One that takes longer is refused; it goes on compiling unheard.
 */
export async function measure(gpu: Gpu, alternatives: Alternatives, rows: number, patience: number): Promise<Measured> {
  const { device, memory } = gpu;
  const residents = new Residents(gpu, 'measurement');
  const entries = Object.entries(alternatives).map(([name, choices]) => ({
    name,
    commands: choices.map(([command]) => command),
    kernels: choices.map(([, kernel]) => kernel),
  }));
  const shared = sharedBy(entries.map(({ commands }) => commands));
  const candidates = entries.map(({ name, commands, kernels }) => ({
    name,
    kernels,
    program: createProgram(alone(commands, shared, rows)),
  }));
  const usual = candidates[0]!.program;
  const externals: Record<string, GPUBuffer> = {};
  const contents = new Map<GPUBuffer, Float32Array<ArrayBuffer>>();
  const refused: Record<string, string> = {};
  try {
    for (const [name, { features }] of Object.entries(usual.externals)) {
      const data = numbers(paddedRows(rows) * features);
      externals[name] = memory.create({ label: `measurement ${name}`, size: data.byteLength, usage: STORAGE | COPY_DST | COPY_SRC });
      contents.set(externals[name], data);
    }
    const submit = async (record: (encoder: GPUCommandEncoder) => void): Promise<number> => {
      const encoder = device.createCommandEncoder({ label: 'measurement' });
      record(encoder);
      const begin = performance.now();
      device.queue.submit([encoder.finish()]);
      await device.queue.onSubmittedWorkDone();
      gpu.assertAlive();
      return performance.now() - begin;
    };
    const run = (executable: Executable, times: number): Promise<number> =>
      submit((encoder) =>
        executable.encodeAll(encoder, Array<{ rows: number; externals: typeof externals }>(times).fill({ rows, externals })),
      );
    const nothing = () => {};
    const empty = median([await submit(nothing), await submit(nothing), await submit(nothing)]);
    /** What one of several runs takes beyond an empty submission. */
    const timed = async (executable: Executable, times: number): Promise<number> =>
      Math.max((await run(executable, times)) - empty, 1e-3) / times;
    /** How many runs take TARGET. */
    const repeatsOf = async (executable: Executable): Promise<number> => {
      let times = 1;
      let each = await timed(executable, times);
      while (times < MOST_REPEATS && each * times < TARGET / 4) {
        times *= 4;
        each = await timed(executable, times);
      }
      return Math.min(MOST_REPEATS, Math.ceil(TARGET / each));
    };
    /** What it writes for the first tile of rows, from fresh contents. */
    const resultOf = async (executable: Executable): Promise<Float32Array> => {
      for (const [buffer, data] of contents) device.queue.writeBuffer(buffer, 0, data);
      await run(executable, 1);
      const encoder = device.createCommandEncoder({ label: 'measurement' });
      // One of several commands may write what the next one reads alone.
      const isWritten = (name: string) => candidates.every(({ program }) => program.externals[name]?.access === 'read_write');
      const written = Object.entries(usual.externals).filter(([name]) => isWritten(name));
      const tickets = written.map(([name, { features }]) => gpu.readback.copy(encoder, externals[name]!, TILE * features));
      device.queue.submit([encoder.finish()]);
      const parts = await Promise.all(tickets.map((ticket) => ticket.read()));
      return Float32Array.from(parts.flatMap((part) => [...part].filter((_, i) => i % TILE < rows)));
    };
    const prepared = new Map<string, { executable: Executable; repeats: number; times: number[] }>();
    let expected: Float32Array | null = null;
    for (const { name, kernels, program } of candidates) {
      try {
        const compiled = Promise.all(program.commands.map((command, index) => gpu.pipelines.get(command, kernels[index])));
        const pipelines = await (program === usual ? compiled : within(patience, compiled));
        if (!pipelines) {
          refused[name] = `takes longer than ${patience} ms to compile`;
          continue;
        }
        const executable = new Executable(gpu, program, { program, many: pipelines, few: pipelines }, residents);
        const result = await resultOf(executable);
        expected ??= result;
        if (!agree(result, expected)) {
          refused[name] = 'gives other results';
          continue;
        }
        prepared.set(name, { executable, repeats: await repeatsOf(executable), times: [] });
      } catch (error) {
        if (program === usual || !(error instanceof CompileError)) throw error;
        refused[name] = 'does not compile here';
      }
    }
    const runners = [...prepared.values()];
    for (let round = 0; round < ROUNDS; round++)
      for (const entry of round % 2 === 0 ? runners : runners.toReversed()) entry.times.push(await timed(entry.executable, entry.repeats));
    return { milliseconds: Object.fromEntries([...prepared].map(([name, { times }]) => [name, median(times)])), refused };
  } finally {
    residents.dispose();
    for (const buffer of Object.values(externals)) memory.destroy(buffer);
  }
}
