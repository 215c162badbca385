// Reverse mode over what a recorder holds: the commands are walked backwards, and each kernel's derivative rule records more commands.

import { fill } from '../kernels/fill.js';
import { recordClear } from '../kernels/parameters.js';
import type { Gradients, GradientTarget } from '../runtime/derivative.js';
import { type Command, writtenBy } from '../runtime/program.js';
import type { Recorder } from '../runtime/recorder.js';
import type { TableTensor, Tensor, TiledTensor } from '../runtime/tensor.js';
import { Rearrangements } from './rearrange.js';
import { recordAgain, type Segment } from './recompute.js';
import { ruleOf, worksInPlace } from './rules.js';

type Scratch = TiledTensor | TableTensor;

/** Ids of the tensors that depend on a wanted one: nothing else needs a gradient. */
function dependents(commands: readonly Command[], wanted: readonly Scratch[]): Set<number> {
  const ids = new Set(wanted.map(({ id }) => id));
  for (const { kernel, tensors } of commands) {
    const names = Object.keys(kernel.source.buffers);
    if (!names.some((name) => isIn(ids, tensors[name]))) continue;
    for (const name of names) {
      const tensor = tensors[name]!;
      if (kernel.source.buffers[name]!.access === 'read_write' && (tensor.kind === 'tiled' || tensor.kind === 'table')) ids.add(tensor.id);
    }
  }
  return ids;
}

const isIn = (ids: ReadonlySet<number>, tensor: Tensor | undefined): tensor is Scratch =>
  (tensor?.kind === 'tiled' || tensor?.kind === 'table') && ids.has(tensor.id);

/** Gradients known so far, by the ids of tensors. */
interface Known {
  readonly tiled: Map<number, TiledTensor>;
  readonly tables: Map<number, TableTensor>;
  readonly rearrangements: Rearrangements;
  /** Ids of the tables that each chunk of rows writes anew. */
  readonly ofChunks: ReadonlySet<number>;
}

/** Ids of the tables that each chunk of rows writes anew. */
function tablesOfChunks(commands: readonly Command[]): Set<number> {
  const ids = new Set<number>();
  for (const { kernel, tensors, stage } of commands)
    for (const [name, { access }] of Object.entries(kernel.source.buffers)) {
      const tensor = tensors[name]!;
      if (stage === undefined && access === 'read_write' && tensor.kind === 'table') ids.add(tensor.id);
    }
  return ids;
}

const recordFill = (r: Recorder, destination: TiledTensor, value: number) =>
  r.run(fill, { buffers: { destination }, params: { features: destination.features, value } });

/** Walks back over `commands` down to one of them, and adds to the gradients of the tensors that `active` names. */
function walkBack(r: Recorder, commands: readonly Command[], active: ReadonlySet<number>, known: Known, downTo = 0): void {
  const { tiled, tables, rearrangements, ofChunks } = known;
  const once = <T>(tensor: Tensor, body: () => T): T =>
    tensor.kind === 'table' && ofChunks.has(tensor.id) ? body() : r.once('before', body);
  /** What a slice of a table is of the whole table's gradient. */
  const partLike = (gradient: TableTensor, { from, length, whole }: TableTensor): TableTensor =>
    length === whole ? gradient : r.part(gradient, from, length, gradient.label);
  for (let index = commands.length - 1; index >= downTo; index--) {
    const command = commands[index]!;
    const { kernel, tensors, stage } = command;
    const { buffers } = kernel.source;
    const names = Object.keys(buffers).filter((name) => isIn(active, tensors[name]));
    const written = names.filter((name) => buffers[name]!.access === 'read_write').map((name) => tensors[name] as Scratch);
    const reached = written.some(({ id }) => tiled.has(id) || tables.has(id));
    // Written alone: added to, a constant, or a source itself.
    if (!reached || (written.length === names.length && !worksInPlace(command))) continue;
    const rule = ruleOf(command);
    const around: Gradients = {
      of(name) {
        const tensor = tensors[name];
        return isIn(active, tensor) ? (tiled.get(tensor.id) ?? null) : null;
      },
      into(name, partial = false): GradientTarget | null {
        const tensor = tensors[name];
        if (!isIn(active, tensor) || tensor.kind !== 'tiled') return null;
        const there = tiled.get(tensor.id);
        if (there) return { tensor: there, add: true };
        const target = r.tiled(tensor.features, `d ${tensor.label}`);
        tiled.set(tensor.id, target);
        if (partial) recordFill(r, target, 0);
        return { tensor: target, add: partial };
      },
      pullBack(output, input, seed) {
        const [from, to] = [tensors[output] as TiledTensor, tensors[input] as TiledTensor];
        const before = commands.slice(0, index);
        const inner: Known = { ...known, tiled: new Map([[from.id, seed]]), tables: new Map() };
        walkBack(r, before, dependents(before, [to]), inner);
        return inner.tiled.get(to.id) ?? null;
      },
      ofTable(name) {
        const tensor = tensors[name];
        const gradient = isIn(active, tensor) ? tables.get(tensor.id) : undefined;
        return gradient ? partLike(gradient, tensor as TableTensor) : null;
      },
      intoTable(name) {
        const tensor = tensors[name];
        if (!isIn(active, tensor) || tensor.kind !== 'table') return null;
        let gradient = tables.get(tensor.id);
        if (!gradient) {
          const fresh = r.table(tensor.whole, `d ${tensor.label}`);
          gradient = fresh;
          tables.set(tensor.id, fresh);
          once(tensor, () => recordClear(r, fresh));
        }
        return partLike(gradient, tensor);
      },
      rearranged: (table, places) => rearrangements.add(r, typeof table === 'string' ? tensors[table]! : table, places),
      writer: (name) =>
        commands
          .slice(0, index)
          .findLast((before) => writtenBy(before).some((tensor) => isIn(new Set([(tensors[name] as TiledTensor).id]), tensor)))!,
      fromTable(name, body) {
        return once(tensors[name]!, body);
      },
    };
    const record = () =>
      r.scope(command.label.slice(command.label.indexOf('/') + 1), () =>
        rule.record(r, { kernel, buffers: tensors, params: command.params, constants: command.constants as never }, around),
      );
    if (stage === 'before') r.once('after', record);
    else record();
  }
}

/** Walks back over all commands; a segment is recorded again from its input on, and the walk goes over that. */
function walkLayers(r: Recorder, commands: readonly Command[], active: Set<number>, known: Known, segments: readonly Segment[]): void {
  const { tiled } = known;
  const inSegments = new Set(segments.flatMap((segment) => segment.commands));
  const others = commands.filter((command) => !inSegments.has(command));
  const rebuilt = new Map<number, TiledTensor>();
  let to = others.length;
  for (const segment of segments.toReversed()) {
    // Tables are made in the midst of a layer, and belong to what comes before it.
    const last = commands.indexOf(segment.commands.at(-1)!);
    const from = commands.slice(0, last).filter((command) => !inSegments.has(command)).length;
    walkBack(r, others.slice(0, to), active, known, from);
    to = from;
    const { commands: own, renamed } = recordAgain(r, segment, rebuilt);
    for (const [id, tensor] of renamed) {
      const gradient = tiled.get(id);
      if (gradient) tiled.set(tensor.id, gradient);
      if (active.has(id)) active.add(tensor.id);
    }
    walkBack(r, own, active, known);
    for (const [id, tensor] of renamed) {
      const gradient = tiled.get(tensor.id);
      if (gradient) tiled.set(id, gradient);
    }
  }
  walkBack(r, others.slice(0, to), active, known);
}

/**
 * Records d (Σ over rows of factor · output) / d wanted, for each wanted tensor; null for one that the output does not depend on. Call it
 * after the commands that computed `output` were recorded, fused ones in parts (unfuse.ts).
 *
 * @param output tiled [1, rows].
 * @param segments layers that are recorded again on the way, so that what the first pass left in them is not kept.
 * @param tables gradients by tables go here: pairs of a table and where its gradient is added, which must be cleared.
 * @throws UnsupportedError for a command whose kernel has no derivative rule.
 */
export function recordGradients(
  r: Recorder,
  output: TiledTensor,
  factor: number,
  wanted: readonly TiledTensor[],
  tables: ReadonlyMap<TableTensor, TableTensor> = new Map(),
  segments: readonly Segment[] = [],
): (TiledTensor | null)[] {
  const { commands } = r;
  const known: Known = {
    tiled: new Map(),
    tables: new Map([...tables].map(([table, gradient]) => [table.id, gradient])),
    rearrangements: new Rearrangements(),
    ofChunks: tablesOfChunks(commands),
  };
  return r.scope('gradient', () => {
    const start = r.tiled(output.features, `d ${output.label}`);
    recordFill(r, start, factor);
    known.tiled.set(output.id, start);
    walkLayers(r, commands, dependents(commands, [...wanted, ...tables.keys()]), known, segments);
    known.rearrangements.record(r);
    return wanted.map(({ id }) => known.tiled.get(id) ?? null);
  });
}
