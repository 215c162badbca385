// The central artefact: an immutable list of kernel calls on virtual tensors, with scratch already assigned to whole buffers.

import { ShapeError, StateError } from './errors.js';
import type { Kernel } from './kernel.js';
import { nameOf, type Tensor, type TiledTensor } from './tensor.js';

export interface Command {
  /** Scope path and kernel, for example `flow/coupling[3]/affine.forward`. Errors and profiles quote it. */
  readonly label: string;
  readonly kernel: Kernel;
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly params: Readonly<Record<string, number>>;
  readonly constants: Readonly<Record<string, number | boolean>>;
  /** Runs once for all rows, before or after the commands that run for each chunk of them; left out for those. */
  readonly stage?: 'before' | 'after' | undefined;
}

export interface Program {
  /** In the order in which they run: those of the stage `before`, those for each chunk of rows, those of `after`. */
  readonly commands: readonly Command[];
  /** Buffers that the caller gives at encode, by name: row-major, or tiled where they hold state between executions. */
  readonly externals: Readonly<Record<string, ExternalBuffer>>;
  /** Scratch buffers: features of each. A tensor owns a whole one, since WebGPU refuses two slices of a buffer as read and read_write. */
  readonly slots: readonly number[];
  /** Slot of each tiled tensor, by id. */
  readonly slotOf: ReadonlyMap<number, number>;
  /** Elements of each table, by id. */
  readonly tables: ReadonlyMap<number, number>;
  /** Peak scratch of one row, known before any device exists. */
  readonly scratchBytesPerRow: number;
  toString(): string;
}

export interface ExternalBuffer {
  readonly features: number;
  readonly access: 'read' | 'read_write';
  /** Present for state: [rows / 64, features, 64], whole tiles. */
  readonly tiled?: true;
}

/** Tensors that a command writes. */
export const writtenBy = ({ kernel, tensors }: Command): Tensor[] =>
  Object.entries(kernel.source.buffers).flatMap(([name, { access }]) => (access === 'read_write' ? tensors[name]! : []));

interface Lifetime {
  readonly tensor: TiledTensor;
  readonly first: number;
  last: number;
}

/** First and last use of every tiled tensor; throws where one is read before anything wrote it. */
function lifetimes(commands: readonly Command[]): Map<number, Lifetime> {
  const found = new Map<number, Lifetime>();
  for (const [index, command] of commands.entries()) {
    for (const [name, tensor] of Object.entries(command.tensors)) {
      if (tensor.kind !== 'tiled' || tensor.state !== undefined) continue;
      const known = found.get(tensor.id);
      if (known) known.last = index;
      else if (command.kernel.source.buffers[name]?.access === 'read')
        throw new StateError(`${command.label} reads ${tensor.label}, which no earlier command wrote`);
      else found.set(tensor.id, { tensor, first: index, last: index });
    }
  }
  return found;
}

/** Smallest free slot that fits; else the largest free one, grown; else a new one. */
function assignSlots(commands: readonly Command[]): { slots: number[]; slotOf: Map<number, number> } {
  const ordered = [...lifetimes(commands).values()].sort((a, b) => a.first - b.first);
  const slots: number[] = [];
  const busyUntil: number[] = [];
  const slotOf = new Map<number, number>();
  for (const { tensor, first, last } of ordered) {
    let chosen = -1;
    for (let slot = 0; slot < slots.length; slot++) {
      if (busyUntil[slot]! >= first) continue;
      if (chosen < 0) chosen = slot;
      else {
        const fits = slots[slot]! >= tensor.features;
        const chosenFits = slots[chosen]! >= tensor.features;
        if (fits ? !chosenFits || slots[slot]! < slots[chosen]! : !chosenFits && slots[slot]! > slots[chosen]!) chosen = slot;
      }
    }
    if (chosen < 0) chosen = slots.push(0) - 1;
    slots[chosen] = Math.max(slots[chosen]!, tensor.features);
    busyUntil[chosen] = last;
    slotOf.set(tensor.id, chosen);
  }
  return { slots, slotOf };
}

const STAGES = ['before', undefined, 'after'] as const;

/** Elements of every table; throws where one is read before anything wrote it. */
function tablesOf(commands: readonly Command[]): Map<number, number> {
  const tables = new Map<number, number>();
  for (const { label, kernel, tensors } of commands) {
    for (const [name, tensor] of Object.entries(tensors)) {
      if (tensor.kind !== 'table' || tensor.state !== undefined) continue;
      if (!tables.has(tensor.id) && kernel.source.buffers[name]?.access === 'read')
        throw new StateError(`${label} reads ${tensor.label}, which no earlier command wrote`);
      tables.set(tensor.id, tensor.whole);
    }
  }
  return tables;
}

const describeTensor = (tensor: Tensor, slotOf: ReadonlyMap<number, number>): string => {
  if (tensor.kind === 'tiled') return `${tensor.label}[${tensor.features}]@${tensor.state === undefined ? slotOf.get(tensor.id) : 'state'}`;
  if (tensor.kind === 'external') return `<${tensor.name}[${tensor.features}]>`;
  if (tensor.kind === 'table')
    return `${tensor.label}(${tensor.length})@${tensor.state === undefined ? `table ${tensor.id}` : 'state'}${tensor.from > 0 ? `+${tensor.from}` : ''}`;
  return `${tensor.label}(${tensor.data.length})`;
};

export function createProgram(recorded: readonly Command[]): Program {
  const commands = STAGES.flatMap((stage) => recorded.filter((command) => command.stage === stage));
  const { slots, slotOf } = assignSlots(commands);
  const externals: Record<string, ExternalBuffer> = {};
  for (const command of commands) {
    for (const [name, tensor] of Object.entries(command.tensors)) {
      const external = nameOf(tensor);
      if (external === undefined || tensor.kind === 'constant') continue;
      const access = command.kernel.source.buffers[name]!.access;
      const known = externals[external];
      const features = tensor.kind === 'table' ? 0 : tensor.features;
      if (known && known.features !== features)
        throw new ShapeError(`${command.label}: ${external}`, `[rows, ${known.features}], as before`, `[rows, ${features}]`);
      externals[external] = {
        features,
        access: known?.access === 'read_write' ? 'read_write' : access,
        ...(tensor.kind === 'tiled' && { tiled: true as const }),
      };
    }
  }
  return {
    commands,
    externals,
    slots,
    slotOf,
    tables: tablesOf(commands),
    scratchBytesPerRow: slots.reduce((sum, features) => sum + features * 4, 0),
    toString() {
      const lines = commands.map((command) => {
        const tensors = Object.entries(command.tensors).map(([name, tensor]) => `${name}=${describeTensor(tensor, slotOf)}`);
        const values = [...Object.entries(command.params), ...Object.entries(command.constants)].map(([name, value]) => `${name}:${value}`);
        return `${command.label}  ${tensors.join(' ')}  {${values.join(' ')}}`;
      });
      return [...lines, `scratch ${this.scratchBytesPerRow} bytes a row in ${slots.length} buffers`].join('\n');
    },
  };
}
