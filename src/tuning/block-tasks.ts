// Writes the task list of a solve by blocks (shaders/lib/block-solve.wgsl). Each stage of the net holds the latest of its inputs; before it makes room, all of its
// units that are still to come take along what it holds.

import { ACTIVATION_NUMBER } from '../kernels/activation.js';
import { BLOCK_ADDS, BLOCK_ENDS, BLOCK_FEATURE, BLOCK_RECTIFIES, BLOCK_WORDS, MOST_EIGHTS } from '../kernels/block-solve.js';
import type { FeatureEvent, SolveEvent, SolveUnit, UnitsEvent } from './solve-units.js';

export interface BlockList {
  readonly tasks: Uint32Array<ArrayBuffer>;
  readonly weight: Float32Array<ArrayBuffer>;
  /** Rows of the state. */
  readonly nodes: number;
  /** Layers of the net. */
  readonly stages: number;
  /** Eights of features, and of each hidden layer's units, that are held. */
  readonly eights: readonly [features: number, units: number];
}

const weightOf = ({ runs }: SolveUnit, input: number): number => {
  const run = runs.find(({ from, weights }) => input >= from && input < from + weights.length);
  return run ? run.weights[input - run.from]! : 0;
};

const isUnits = (event: SolveEvent): event is UnitsEvent => 'units' in event;

/** One stage, as the list is written. */
class Stage {
  /** Inputs begin … begin + used − 1 are held. */
  begin = 0;
  used = 0;
  /** Whether the units that are still to come have sums in their rows. */
  adds = false;
  /** Units that are known. */
  known = 0;

  /**
   * @param row state row of the first unit.
   * @param ownRows whether each unit has one, for its sums; otherwise the units that become known together begin at `row` again.
   */
  constructor(
    readonly units: readonly SolveUnit[],
    readonly row: number,
    readonly ownRows: boolean,
    readonly eights: number,
    readonly rectifies: boolean,
  ) {}

  /** State row of the next unit. */
  get nextRow(): number {
    return this.row + (this.ownRows ? this.known : 0);
  }
}

class Writer {
  readonly tasks: number[] = [];
  readonly weight: number[] = [];
  /** Row of the parameters that belong in a row of the list that was read. */
  readonly #parameterRow = new Map<number, number>();

  constructor(readonly stages: readonly Stage[]) {}

  /** Before a stage holds so many more inputs than it can, its other units take along those that it holds. */
  #makeRoom(index: number, places: number): void {
    const stage = this.stages[index]!;
    if (stage.used + places <= 8 * stage.eights) return;
    this.#strip(index, stage.units.length - stage.known, 0);
    stage.adds = true;
    stage.begin += stage.used;
    stage.used = 0;
  }

  /** Of the next `count` units of a stage. */
  #strip(index: number, count: number, flags: number, slot = 0): void {
    if (count === 0) return;
    const { units, nextRow, known, begin, used, eights, adds } = this.stages[index]!;
    const fours = Math.ceil(count / 4);
    const last = count - 4 * (fours - 1);
    const turns = last === 3 ? 4 : last;
    this.tasks.push(
      index,
      fours + 65536 * turns,
      this.weight.length / 4,
      count,
      nextRow,
      flags + (adds ? BLOCK_ADDS : 0),
      slot,
      8 * eights,
    );
    for (let four = 0; four < fours; four++)
      for (let k = 0; k <= 8 * eights; k += 4)
        for (let lane = 0; lane < 4; lane++) {
          const place = four < fours - 1 ? lane : lane % turns;
          const unit = 4 * four + place < count ? units[known + 4 * four + place]! : null;
          for (let i = 0; i < 4; i++) {
            const isBias = k === 8 * eights;
            const value = isBias
              ? i === 0 && flags & BLOCK_ENDS
                ? unit?.bias
                : 0
              : k + i < used && unit
                ? weightOf(unit, begin + k + i)
                : 0;
            this.weight.push(value ?? 0);
          }
        }
  }

  /** The next units of a stage, with whole sums. */
  units({ stage: index, units }: UnitsEvent): void {
    const stage = this.stages[index]!;
    const next = this.stages[index + 1];
    const most = next ? 8 * next.eights : units.length;
    for (let at = 0; at < units.length; at += most) {
      const piece = units.slice(at, at + most);
      if (next) this.#makeRoom(index + 1, piece.length);
      this.#strip(index, piece.length, BLOCK_ENDS + (stage.rectifies ? BLOCK_RECTIFIES : 0), next?.used);
      if (next) next.used += piece.length;
      else for (const [i, { row }] of piece.entries()) this.#parameterRow.set(row, stage.nextRow + i);
      stage.known += piece.length;
    }
  }

  feature({ feature, parameters, stride }: FeatureEvent): void {
    this.#makeRoom(0, 1);
    this.tasks.push(BLOCK_FEATURE, feature, this.#parameterRow.get(parameters)!, stride, this.stages[0]!.used++, 0, 0, 0);
  }
}

/** The list, or null where parameters are rectified. @param count stages of the net, the last of which gives parameters. */
export function blockTasks(events: readonly SolveEvent[], count: number): BlockList | null {
  const unitsOf = Array.from({ length: count }, (_, stage) =>
    events.filter((event): event is UnitsEvent => isUnits(event) && event.stage === stage),
  );
  const sizes = unitsOf.map((own) => own.reduce((sum, { units }) => sum + units.length, 0));
  const eightsOf = (inputs: number) => Math.max(1, Math.min(MOST_EIGHTS, Math.ceil(inputs / 8)));
  const features = events.length - unitsOf.flat().length;
  const eights = [eightsOf(features), eightsOf(Math.max(...sizes.slice(0, -1)))] as const;
  let nodes = 0;
  const stages = unitsOf.map((own, index) => {
    const row = nodes;
    const held = eights[index === 0 ? 0 : 1];
    // Sums are kept where not all inputs are held at once.
    const ownRows = (index === 0 ? features : sizes[index - 1]!) > 8 * held;
    const together = index === count - 1 ? Math.max(0, ...own.map(({ units }) => units.length)) : 0;
    nodes += ownRows ? sizes[index]! : together;
    const rectifies = own[0]?.activation === ACTIVATION_NUMBER.relu;
    return new Stage(
      own.flatMap(({ units }) => units),
      row,
      ownRows,
      held,
      rectifies,
    );
  });
  if (stages.at(-1)!.rectifies) return null;
  const writer = new Writer(stages);
  for (const event of events)
    if (isUnits(event)) writer.units(event);
    else writer.feature(event);
  const { tasks, weight } = writer;
  if (tasks.length % BLOCK_WORDS !== 0) throw new Error('solve by blocks: words are missing');
  return { tasks: Uint32Array.from(tasks), weight: Float32Array.from(weight), nodes: Math.max(1, nodes), stages: count, eights };
}
