import { DisposedError } from '../runtime/errors.js';
import type { Executable } from '../runtime/executable.js';
import type { Gpu } from '../runtime/gpu.js';
import type { Residents } from '../runtime/memory.js';
import type { Program } from '../runtime/program.js';

/** The programs of an object's tasks: each is recorded and compiled on first use, and all are freed with the object. */
export class CompiledTasks<Task extends string> {
  readonly residents: Residents;
  readonly #gpu: Gpu;
  readonly #owner: string;
  readonly #record: (task: Task) => Program;
  readonly #compiling = new Map<Task, Promise<Executable>>();
  readonly #ready = new Map<Task, Executable>();
  #disposed = false;

  /** @param owner the object as sentences name it: `flow`. */
  constructor(gpu: Gpu, owner: string, record: (task: Task) => Program) {
    gpu.assertAlive();
    this.residents = gpu.residents();
    this.#gpu = gpu;
    this.#owner = owner;
    this.#record = record;
  }

  /** What has compiled; undefined for a task that nobody asked for yet. */
  ready(task: Task): Executable | undefined {
    return this.#ready.get(task);
  }

  get(task: Task): Promise<Executable> {
    this.assertAlive();
    let compiling = this.#compiling.get(task);
    if (!compiling) {
      compiling = this.#gpu.compile(this.#record(task), this.residents).then((executable) => {
        if (this.#disposed) {
          executable.dispose();
          throw new DisposedError(`this ${this.#owner} was disposed while it compiled`);
        }
        this.#ready.set(task, executable);
        return executable;
      });
      this.#compiling.set(task, compiling);
      compiling.catch(() => this.#compiling.delete(task));
    }
    return compiling;
  }

  /** @throws DisposedError, DeviceLostError */
  assertAlive(): void {
    if (this.#disposed) throw new DisposedError(`this ${this.#owner} was disposed; load or build it again`);
    this.#gpu.assertAlive();
  }

  /** Idempotent. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const executable of this.#ready.values()) executable.dispose();
    this.residents.dispose();
  }
}
