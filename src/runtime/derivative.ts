// Derivative rules: how the gradient of a loss passes one command backwards. A rule is an export of its own beside its kernel, so that a
// page that trains nothing bundles none.

import { type Buffers, type Constants, type Kernel, type KernelSource, kernelKey, type Params } from './kernel.js';
import type { Command } from './program.js';
import type { Recorder } from './recorder.js';
import type { TableTensor, Tensor, TiledTensor } from './tensor.js';

/** Where a rule adds a gradient: `add` says that something lies there already. */
export interface GradientTarget {
  readonly tensor: TiledTensor;
  readonly add: boolean;
}

/** Gradients around one command, by its buffers' names. */
export interface Gradients {
  /** Gradient of the loss by what the command left in a buffer; null where the loss does not depend on it. */
  of(buffer: string): TiledTensor | null;
  /**
   * Where the gradient by what the command read goes; null where nobody wants it. A rule asks once a buffer and then writes it.
   *
   * @param partial the rule writes only some features, so a fresh target starts as zeros and `add` is true.
   */
  into(buffer: string, partial?: boolean): GradientTarget | null;
  /**
   * Records Jᵀ seed with J = d (what the buffer `output` holds) / d (what `input` holds), through the commands before this one; null where
   * the one does not depend on the other.
   */
  pullBack(output: string, input: string, seed: TiledTensor): TiledTensor | null;
  /** Gradient of the loss by a table that the command wrote; null where the loss does not depend on it. */
  ofTable(buffer: string): TableTensor | null;
  /** Where the gradient by a table that the command read is added, since each chunk of rows adds its part; null where nobody wants it. */
  intoTable(buffer: string): TableTensor | null;
  /**
   * A table with numbers of another in other places, 0 for none, else 1 + the index there; made once for all rows, with all such at once.
   *
   * @param table or the name of the buffer that holds it.
   */
  rearranged(table: string | Tensor, places: Uint32Array<ArrayBuffer>): Tensor;
  /** The command that left what the buffer holds. */
  writer(buffer: string): Command;
  /** Runs `body`, which records what depends on this table alone: once for all rows, unless the rows themselves make the table. */
  fromTable<T>(buffer: string, body: () => T): T;
}

type Vjp<S extends KernelSource> = (
  r: Recorder,
  /** With the kernel itself, which a rule may run again without importing it. */
  call: { readonly kernel: Kernel<S>; readonly buffers: Buffers<S>; readonly params: Params<S>; readonly constants: Partial<Constants<S>> },
  gradients: Gradients,
) => void;

/** The vector–Jacobian product of one kernel, made of kernel calls. */
export interface DerivativeRule {
  /** Name and entry point of the kernel. */
  readonly kernel: string;
  readonly record: Vjp<KernelSource>;
  /** Whether the kernel reads a buffer before it overwrites it. What it only adds to needs no rule. */
  readonly inPlace?: boolean;
}

/** How the tables of one kind of origin are made on the device: by kernels over tables that have rules themselves. */
export interface OriginRule {
  readonly kind: string;
  readonly record: (
    r: Recorder,
    inputs: Readonly<Record<string, Tensor>>,
    settings: Readonly<Record<string, number | string>>,
  ) => Readonly<Record<string, TableTensor>>;
}

/**
 * Records the vector–Jacobian product of a command. Accumulated outputs (`total += …`) pass their gradients on unasked.
 *
 * @param kernel the kernel, or its key where the rule does not run it: what a rule imports, a bundle keeps for every flow.
 */
export const defineRule = <S extends KernelSource>(kernel: Kernel<S> | string, record: Vjp<S>): DerivativeRule => ({
  kernel: typeof kernel === 'string' ? kernel : kernelKey(kernel.source),
  record: record as unknown as Vjp<KernelSource>,
});
