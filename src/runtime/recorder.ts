// Records kernel calls on virtual tensors. Nothing here touches a device; `finish` gives an immutable Program.

import { ShapeError, ValueError } from './errors.js';
import type { Kernel, KernelCall, KernelSource } from './kernel.js';
import { type Command, createProgram, type Program } from './program.js';
import { type ConstantTensor, type ExternalTensor, nameOf, SLICE, type TableTensor, type Tensor, type TiledTensor } from './tensor.js';

/** Whether a tensor may not be bound beside one that is written: both lie in one buffer, other than two written slices that do not meet. */
function clash(written: Tensor, other: Tensor, access: 'read' | 'read_write'): boolean {
  if (written.kind !== 'table' || other.kind !== 'table')
    return written === other || (nameOf(written) !== undefined && nameOf(written) === nameOf(other));
  if (written.id !== other.id) return false;
  return access === 'read' || (written.from < other.from + other.length && other.from < written.from + written.length);
}

export class Recorder {
  readonly #commands: Command[] = [];
  readonly #path: string[];
  #nextId = 0;
  #stage: Command['stage'];

  /** Whether gradients will be asked for: layers then record kernels that have derivative rules, at some cost in time. */
  readonly differentiable: boolean;

  /** @param label first part of every command's label. */
  constructor(label = 'flow', { differentiable = false } = {}) {
    this.#path = [label];
    this.differentiable = differentiable;
  }

  /** What was recorded so far, as a copy. */
  get commands(): readonly Command[] {
    return [...this.#commands];
  }

  /** Scope path, for errors that happen while recording. */
  get place(): string {
    return this.#path.join('/');
  }

  /** A row-major buffer [rows, features] that the caller gives at encode; with 0 features a table that all rows share. */
  external(name: string, features: number): ExternalTensor {
    return { kind: 'external', name, features, dtype: 'f32', label: name };
  }

  /** Scratch [rows / 64, features, 64]. */
  tiled(features: number, label: string): TiledTensor {
    if (!Number.isInteger(features) || features < 1)
      throw new ShapeError(`${this.place}/${label}`, 'a positive number of features', `${features}`);
    return { kind: 'tiled', id: this.#nextId++, features, dtype: 'f32', label };
  }

  /**
   * A tiled tensor that outlives the program, in a buffer that the caller gives at encode under this name: paddedRows(rows) · features
   * floats. What one execution leaves there the next one finds, of this program or of another that names it.
   */
  state(name: string, features: number): TiledTensor {
    return { ...this.tiled(features, name), state: name };
  }

  /** Data uploaded once and shared by every program that names the same array. */
  constant(data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>, label: string, origin?: ConstantTensor['origin']): ConstantTensor {
    return { kind: 'constant', data, dtype: data instanceof Uint32Array ? 'u32' : 'f32', label, ...(origin && { origin }) };
  }

  /** A table from element `from` on, a multiple of 64: many small tables share one buffer. Read only. */
  slice<T extends ConstantTensor | ExternalTensor>(table: T, from: number): T {
    const first = (table.from ?? 0) + from;
    if (!Number.isInteger(first) || first < 0 || first % SLICE !== 0)
      throw new ShapeError(`${this.place}/${table.label}`, `a slice that starts at a multiple of ${SLICE} elements`, `${first}`);
    return { ...table, from: first };
  }

  /** Scratch of `length` numbers that all rows share. */
  table(length: number, label: string): TableTensor {
    if (!Number.isInteger(length) || length < 1) throw new ShapeError(`${this.place}/${label}`, 'a positive length', `${length}`);
    return { kind: 'table', id: this.#nextId++, length, dtype: 'f32', label, whole: length, from: 0 };
  }

  /** A table that outlives the program, in a buffer of as many floats that the caller gives at encode under this name. */
  stateTable(name: string, length: number): TableTensor {
    return { ...this.table(length, name), state: name };
  }

  /** `length` elements of a table from element `from` on, a multiple of 64. */
  part(table: TableTensor, from: number, length: number, label: string): TableTensor {
    const first = table.from + from;
    if (!Number.isInteger(first) || first % SLICE !== 0 || from < 0 || from + length > table.length)
      throw new ShapeError(
        `${this.place}/${label}`,
        `a part of ${table.length} elements that starts at a multiple of ${SLICE}`,
        `${first}`,
      );
    return { ...table, from: first, length, label };
  }

  /** What `body` records runs once for all rows, before or after what is recorded for each chunk of them. */
  once<T>(stage: 'before' | 'after', body: () => T): T {
    const outer = this.#stage;
    this.#stage = stage;
    try {
      return body();
    } finally {
      this.#stage = outer;
    }
  }

  scope<T>(label: string, body: () => T): T {
    this.#path.push(label);
    try {
      return body();
    } finally {
      this.#path.pop();
    }
  }

  /** Appends one dispatch. @throws ShapeError for a wrong element type or a written tensor bound twice; ValueError for a NaN. */
  run<S extends KernelSource>(kernel: Kernel<S>, call: KernelCall<S>): void {
    const { source } = kernel;
    const label = `${this.place}/${source.name}${source.entryPoint === source.name.replaceAll('-', '_') ? '' : `.${source.entryPoint}`}`;
    const tensors: Readonly<Record<string, Tensor>> = call.buffers;
    for (const [name, binding] of Object.entries(source.buffers)) {
      const tensor = tensors[name];
      if (tensor === undefined) throw new ShapeError(label, `a tensor for ${name}`, 'none');
      if (tensor.dtype !== binding.element)
        throw new ShapeError(`${label}: ${name}`, `${binding.element} elements`, `${tensor.dtype} (${tensor.label})`);
      if (binding.access === 'read') continue;
      if (tensor.kind === 'constant')
        throw new ShapeError(`${label}: ${name}`, 'a tensor that may be written', `the constant ${tensor.label}`);
      const other = Object.entries(tensors).find(
        ([key, value]) => key !== name && source.buffers[key] && clash(tensor, value, source.buffers[key].access),
      );
      if (other)
        throw new ShapeError(`${label}: ${name}`, 'a buffer of its own, since it is written', `${tensor.label}, also bound as ${other[0]}`);
    }
    for (const [name, value] of [...Object.entries(call.params), ...Object.entries(call.constants ?? {})])
      if (!Number.isFinite(Number(value))) throw new ValueError(`${label}: ${name}`, 'a finite number', `${value}`);
    this.#commands.push({
      label,
      kernel: kernel as unknown as Kernel,
      tensors,
      params: call.params,
      constants: call.constants ?? {},
      ...(this.#stage && { stage: this.#stage }),
    });
  }

  /** Makes room for the tensors of another program's commands, which may then be replayed among commands of one's own. */
  adopt(commands: readonly Command[]): void {
    for (const { tensors } of commands)
      for (const tensor of Object.values(tensors))
        if (tensor.kind === 'tiled' || tensor.kind === 'table') this.#nextId = Math.max(this.#nextId, tensor.id + 1);
  }

  /** Appends a command of an adopted program, with its label and its tensors. */
  replay(command: Command): void {
    this.#commands.push(command);
  }

  finish(): Program {
    return createProgram(this.#commands);
  }
}
