// What one owner has on the device: its programs, each compiled when it is first asked for, and the constants that they share.

import { DisposedError, LimitError } from './errors.js';
import type { Executable } from './executable.js';
import type { Gpu } from './gpu.js';
import { memo, memoAsync } from './memo.js';
import type { Program } from './program.js';
import { type ArrayCall, runOnArrays } from './run-arrays.js';
import { COPY_DST, COPY_SRC, STORAGE } from './usage.js';

export class Residents {
  readonly gpu: Gpu;
  /** Programs that live: each enters here when it is made and leaves when it is disposed. */
  readonly executables = new Set<Executable>();
  /** Weights that float16 holds are kept as that. */
  readonly halves: boolean;
  readonly #owner: string;
  readonly #record: ((name: string) => Program) | undefined;
  readonly #usual: readonly string[];
  readonly #buffers = new Map<Float32Array | Uint32Array, GPUBuffer>();
  readonly #programs = new Map<string, Promise<Executable>>();
  readonly #ready = new Map<string, Executable>();
  #disposed = false;

  /** @param owner what errors call it. @param record its programs by name. @param usual those that most of its users run. */
  constructor(gpu: Gpu, owner: string, record?: (name: string) => Program, usual: readonly string[] = [], halves = false) {
    gpu.assertAlive();
    this.halves = halves;
    this.gpu = gpu;
    this.#owner = owner;
    this.#record = record;
    this.#usual = usual;
  }

  /** Throws DisposedError after `dispose`, else as the Gpu does. */
  assertAlive(hint?: string): void {
    this.assertKept(hint);
    this.gpu.assertAlive();
  }

  /** Throws DisposedError after `dispose`: for what needs no device. */
  assertKept(hint = '; load or build it again'): void {
    if (this.#disposed) throw new DisposedError(`this ${this.#owner} was disposed${hint}`);
  }

  /** The program of that name, which the first call records and compiles; after a failure the next one tries again. */
  get(name: string, record = this.#record!): Promise<Executable> {
    this.assertAlive();
    return memoAsync(this.#programs, name, async () => {
      const executable = await this.gpu.compile(record(name), this);
      this.#ready.set(name, executable);
      return executable;
    });
  }

  /** Compiles the usual programs of an owner that has none. */
  async compileDefaults(): Promise<void> {
    if (this.executables.size === 0) await Promise.all(this.#usual.map((name) => this.get(name)));
  }

  /** Programs that have been compiled. */
  names(): string[] {
    return [...this.#ready.keys()];
  }

  /** The program of that name if it has been compiled. */
  ready(name: string): Executable | undefined {
    return this.#ready.get(name);
  }

  /** Runs the program of that name on arrays; the inputs are read before this returns its promise. */
  async run(name: string, place: string, call: ArrayCall): Promise<void> {
    let executable = this.#ready.get(name);
    let { inputs } = call;
    if (!executable) {
      inputs = copyOf(inputs); // they may change while it compiles
      executable = await this.get(name);
      this.assertAlive();
    }
    await runOnArrays(this.gpu, executable, place, { ...call, inputs });
  }

  /** The buffer of a constant, uploaded once however many programs name the array. */
  buffer(data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>, label: string): GPUBuffer {
    return memo(this.#buffers, data, () => {
      const { device, memory } = this.gpu;
      const { byteLength } = data;
      const limit = device.limits.maxStorageBufferBindingSize;
      if (byteLength > limit) throw new LimitError(label, `at most ${limit} bytes (maxStorageBufferBindingSize)`, `${byteLength}`);
      const buffer = memory.create({ label, size: Math.max(16, Math.ceil(byteLength / 16) * 16), usage: STORAGE | COPY_DST | COPY_SRC });
      device.queue.writeBuffer(buffer, 0, data);
      return buffer;
    });
  }

  /** Frees programs and constants. Idempotent. */
  dispose(): void {
    this.#disposed = true;
    this.gpu.owners.delete(this);
    for (const executable of this.executables) executable.dispose();
    for (const buffer of this.#buffers.values()) this.gpu.memory.destroy(buffer);
    this.#buffers.clear();
  }
}

/** Compiles a program, runs it once on arrays and frees all of it, its constants too: for checks, not for hot paths. */
export async function runOnce(gpu: Gpu, owner: string, place: string, program: Program, call: ArrayCall): Promise<void> {
  const residents = new Residents(gpu, owner);
  try {
    await runOnArrays(gpu, await gpu.compile(program, residents), place, call);
  } finally {
    residents.dispose();
  }
}

/** The arrays as they are now. */
export const copyOf = (arrays: ArrayCall['inputs']): ArrayCall['inputs'] =>
  Object.fromEntries(Object.entries(arrays).map(([name, data]) => [name, data.slice()]));
