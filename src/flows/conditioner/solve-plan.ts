// The task list of the sequential direction (shaders/lib/autoregressive-solve.wgsl). Units are grouped by the step at which they
// become computable and cut into strips (strips.ts); each strip sums the run of its inputs that is known by then. Every non-zero of
// the masks is used once (tests/flows/solve-plan.test.ts counts them).

import { ACTIVATION_NUMBER } from '../../kernels/activation.js';
import {
  TASK_HAS_SCALE,
  TASK_HAS_SKIP,
  TASK_KIND,
  TASK_NONE,
  TASK_PANEL,
  TASK_PLAIN,
  TASK_SKIPS,
  TASK_WORDS,
} from '../../kernels/autoregressive-solve.js';
import { type Conditioner, type ContextTerm, INPUT, type Stage } from './conditioner.js';
import { orderBy, type PackedLinear, packLinear } from './packing.js';
import type { Readiness } from './readiness.js';
import { type Columns, cutPanels, type Group, PADDING, type PanelProduct, planStrips, type Strip } from './strips.js';

export interface SideProjection {
  readonly packed: PackedLinear;
  readonly at: number;
  readonly activation: ContextTerm['activation'];
}

/** What the packed numbers of a solve are made of, where norms are folded into them. */
export interface NormedSolve extends Pick<SolvePlan, 'strips' | 'columns'> {
  readonly kind: 'solve';
  readonly stages: readonly Stage[];
}

/** Sums for the units of one stage over what is known before a panel. */
export interface SolveProduct extends PanelProduct {
  /** Without a bias; its inputs lie one after another in the state. */
  readonly packed: PackedLinear;
  /** State row of the first input. */
  readonly inputRow: number;
}

/** Products, then tasks that go on from them: what one dispatch of the solve works off. */
export interface SolvePanel {
  readonly products: readonly SolveProduct[];
  readonly tasks: Uint32Array<ArrayBuffer>;
  readonly taskCount: number;
  readonly weight: Float32Array<ArrayBuffer>;
  readonly bias: Float32Array<ArrayBuffer>;
  /** Those of its tasks, in order. */
  readonly strips: readonly Strip[];
}

export interface SolvePlan {
  /** One after another: one where no stage is wide. */
  readonly panels: readonly SolvePanel[];
  /** Features of the state tensor: known inputs, units, raw values, parameters of one step. */
  readonly nodes: number;
  /** Context projections, packed in the order of the strips that read them; the sums of panels lie before them. */
  readonly side: readonly SideProjection[];
  readonly sideFeatures: number;
  /** Whether any strip does more than add a bias and rectify. */
  readonly general: boolean;
  /** Whether each stage reads the one before, and all parameters are of the last. */
  readonly chain: boolean;
  /** In the order in which they run. */
  readonly strips: readonly Strip[];
  /** Stage input of each packed column: feature or unit. */
  readonly columns: ReadonlyMap<number, readonly number[]>;
  readonly parts: NormedSolve | null;
}

/** @param panelUnits units of a panel: Infinity for one dispatch in all, others in tests. */
export function planSolve(conditioner: Conditioner, ready: Readiness, panelUnits?: number): SolvePlan {
  const { stages, heads, inputs } = conditioner;
  const headStages = new Set(heads.map((head) => head.stage));
  let nodes = 0;

  // Known features come first, in the order in which they become known.
  const featureOrder = [...orderBy(ready.stepOf)];
  const featureRow = new Int32Array(inputs);
  for (const [row, feature] of featureOrder.entries()) featureRow[feature] = row;
  nodes += inputs;
  const columns = new Map<number, number[]>([[INPUT, featureOrder]]);
  const featuresBy = (step: number) => featureOrder.filter((feature) => ready.stepOf[feature]! < step).length;
  const known = new Map<number, Columns>([[INPUT, { by: featuresBy, before: featuresBy }]]);
  /** Units of each hidden stage in the order in which they become computable, and how many are by each step. */
  const unitsOf = stages.map((_, index) => {
    const unitsAt = Array.from({ length: ready.steps }, () => [] as number[]);
    for (const [unit, step] of ready.unitReady[index]!.entries()) if (step < ready.steps) unitsAt[step]!.push(unit);
    let end = 0;
    return { unitsAt, ends: unitsAt.map((units) => (end += units.length)) };
  });
  const normed = stages.some(({ norm, folded }) => norm || folded);
  // Panels pay where a wide layer reads another. What norms are folded into stays in one dispatch: its numbers are made for strips alone.
  const pairs = stages.flatMap(({ input }, index) =>
    normed || input === INPUT ? [] : [[unitsOf[input]!.ends, unitsOf[index]!.ends] as const],
  );
  const cuts = cutPanels(pairs, panelUnits);

  const strips: Strip[] = [];
  const products = cuts.map(() => [] as PanelProduct[]);
  let sums = 0; // rows of the side tensor for panels
  const regionRow = new Map<number, number>([[INPUT, 0]]);
  const rawRow = new Map<number, Int32Array>(); // state row of each unit's raw value
  const add = (stage: number, groups: readonly Group[]) => {
    const filled = groups.filter((group) => group.units.length > 0);
    const planned = planStrips(stage, filled, known.get(stages[stage]!.input)!, nodes, sums, cuts);
    strips.push(...planned.strips);
    for (const [index, product] of planned.products.entries()) if (product) products[index]!.push(product);
    nodes += planned.partialRows;
    sums += planned.panelRows;
  };
  for (const [index, stage] of stages.entries()) {
    if (headStages.has(index)) continue;
    const begin = nodes;
    regionRow.set(index, begin);
    const { unitsAt, ends } = unitsOf[index]!;
    const order = unitsAt.flat();
    const before = (step: number) => ends[step - 1] ?? 0;
    nodes += order.length + PADDING;
    columns.set(index, order);
    known.set(index, { by: (step) => ends[step]!, before });
    const keepsRaw = stages.some((other) => other.skip === index);
    const plain = stage.norm === null && stage.activation === 'identity'; // then raw value and output are one
    const rawBegin = plain ? begin : nodes;
    if (keepsRaw) {
      const rows = new Int32Array(stage.outputs).fill(-1);
      for (const [at, unit] of order.entries()) rows[unit] = rawBegin + at;
      rawRow.set(index, rows);
      if (!plain) nodes += order.length + PADDING;
    }
    add(
      index,
      unitsAt.map((units, step) => ({
        step,
        units,
        row: begin + before(step),
        rawRow: keepsRaw && !plain ? rawBegin + before(step) : null,
      })),
    );
  }

  // Parameters of the features of one step; the rows are used again by the next step.
  const slotsAt = Array.from({ length: ready.steps }, () => [] as number[]);
  for (const feature of featureOrder) slotsAt[ready.stepOf[feature]!]!.push(feature);
  const mostSlots = Math.max(...slotsAt.map((slots) => slots.length));
  const headRow = new Map<number, number>(); // first parameter row of each stage that heads read
  for (const stage of headStages) {
    const own = [...heads.keys()].filter((p) => heads[p]!.stage === stage);
    const row = nodes;
    headRow.set(stage, row);
    nodes += own.length * mostSlots + PADDING;
    add(
      stage,
      slotsAt.map((slots, step) => ({ step, units: own.flatMap((p) => slots.map((slot) => heads[p]!.units[slot]!)), row, rawRow: null })),
    );
  }
  /** Parameter rows of a step: those of one stage lie kind by kind, `slots` apart. */
  const parameterRow = (p: number, slots: number) => {
    const own = [...heads.keys()].filter((other) => heads[other]!.stage === heads[p]!.stage);
    return headRow.get(heads[p]!.stage)! + own.indexOf(p) * slots;
  };
  const side = new SideRegions(conditioner.contextDim, sums);
  strips.sort((a, b) => a.step - b.step || a.stage - b.stage);
  let next = 0;
  const writers = cuts.map((cut, index) => {
    const begin = next;
    const writer = new TaskWriter(stages, columns, side);
    const end = cuts[index + 1] ?? ready.steps;
    for (let step = cut; step < end; step++) {
      for (; next < strips.length && strips[next]!.step === step; next++) {
        const strip = strips[next]!;
        writer.strip(strip, regionRow.get(stages[strip.stage]!.input)!, rawRow);
      }
      const slots = slotsAt[step]!;
      const rows = heads.map((_, p) => parameterRow(p, slots.length));
      const stride = heads.length > 1 ? rows[1]! - rows[0]! : 0;
      if (rows.some((row, p) => row !== rows[0]! + p * stride))
        throw new Error('solve plan: three or more parameters need one stage for all');
      for (const [place, feature] of slots.entries()) writer.feature(feature, rows[0]! + place, stride, featureRow[feature]!);
    }
    return { writer, strips: strips.slice(begin, next) };
  });
  const packed = (product: PanelProduct): SolveProduct => {
    const { input, ...source } = stages[product.stage]!;
    return {
      ...product,
      packed: packLinear({ ...source, bias: null }, product.units, columns.get(input)!.slice(0, product.count)),
      inputRow: regionRow.get(input)!,
    };
  };
  return {
    panels: writers.map(({ writer, strips }, index) => ({ ...writer.finish(), strips, products: products[index]!.map(packed) })),
    nodes: nodes + 1, // and a row of zeros
    side: side.projections(),
    sideFeatures: Math.max(1, side.features),
    general: writers.some(({ writer }) => writer.general),
    chain: stages.every(({ input }, index) => input === index - 1) && headStages.size === 1 && headStages.has(stages.length - 1),
    strips,
    columns,
    parts: normed ? { kind: 'solve', stages, strips, columns } : null,
  };
}

/** Rows of the side tensor: behind the sums of panels for each context term the units of its stage in the order of the strips. */
class SideRegions {
  readonly #units = new Map<ContextTerm, number[]>();

  constructor(
    readonly contextDim: number,
    readonly sums: number,
  ) {}

  get features(): number {
    return [...this.#units.values()].reduce((sum, units) => sum + units.length, this.sums);
  }

  /** Row of a strip's first unit within the term's region. */
  place(term: ContextTerm, units: readonly number[]): number {
    const region = this.#units.get(term) ?? [];
    this.#units.set(term, region);
    const row = region.length;
    region.push(...units);
    return row;
  }

  /** First row of a term's region: known only when all strips were placed. */
  begin(term: ContextTerm): number {
    let at = this.sums;
    for (const [other, units] of this.#units) {
      if (other === term) break;
      at += units.length;
    }
    return at;
  }

  projections(): SideProjection[] {
    return [...this.#units].map(([term, units]) => ({
      packed: packLinear({ ...term, inputs: this.contextDim }, units),
      at: this.begin(term),
      activation: term.activation,
    }));
  }
}

/** Writes tasks, weights and biases in execution order, so that the kernel reads all three forwards. */
class TaskWriter {
  readonly #tasks: number[][] = [];
  readonly #weights: Float32Array[] = [];
  readonly #bias: number[] = [];
  readonly #sideWords: { task: number[]; word: number; term: ContextTerm }[] = [];
  #weightLength = 0;

  constructor(
    readonly stages: readonly Stage[],
    readonly columns: ReadonlyMap<number, readonly number[]>,
    readonly side: SideRegions,
  ) {}

  strip(strip: Strip, inputRow: number, rawRow: ReadonlyMap<number, Int32Array>): void {
    const stage = this.stages[strip.stage]!;
    const width = strip.units.length;
    const columns = this.columns.get(stage.input)!;
    const count = strip.count - strip.from;
    const weight = new Float32Array(count * width); // [input, unit]
    for (const [lane, unit] of strip.units.entries()) {
      if (unit < 0) continue;
      for (let k = 0; k < count; k++) {
        const column = columns[strip.from + k]!;
        const at = unit * stage.inputs + column;
        if (stage.mask === null || stage.mask[at] !== 0) weight[k * width + lane] = stage.weight[at]!;
      }
    }
    const task = new Array<number>(TASK_WORDS).fill(TASK_NONE);
    task[0] = width === 8 ? TASK_KIND.strip8 : TASK_KIND.strip4;
    task[1] = count;
    task[2] = this.#weightLength / 4;
    task[3] = inputRow + strip.from;
    task[4] = strip.row;
    task[5] = strip.rawRow ?? TASK_NONE;
    task[10] = strip.partialRow ?? TASK_NONE;
    task[TASK_PANEL] = strip.panelRow ?? TASK_NONE;
    this.#weights.push(weight);
    this.#weightLength += weight.length;
    this.#tasks.push(task);
    task[8] = this.#bias.length / 4;
    if (strip.prefix) {
      task[9] = ACTIVATION_NUMBER.identity | TASK_PLAIN;
      this.#constants(strip.units, () => 0);
      return;
    }
    for (const term of stage.contexts) {
      const word = term.mode === 'add' ? 6 : 7;
      task[word] = this.side.place(term, strip.units);
      this.#sideWords.push({ task, word, term });
    }
    const rectified = stage.activation === 'identity' || stage.activation === 'relu';
    const plain = rectified && !stage.norm && stage.skip === null && stage.contexts.length === 0 && strip.rawRow === null;
    task[9] =
      ACTIVATION_NUMBER[stage.activation] |
      (stage.norm ? TASK_HAS_SCALE : 0) |
      (stage.skip !== null ? TASK_HAS_SKIP : 0) |
      (plain ? TASK_PLAIN : 0);
    if (stage.skip !== null) {
      const rows = rawRow.get(stage.skip)!;
      // A padding unit adds some computed row: nobody reads the sum, and it stays finite.
      const spare = rows[strip.units.find((unit) => unit >= 0)!]!;
      for (const [lane, unit] of strip.units.entries()) task[TASK_SKIPS + lane] = unit < 0 ? spare : rows[unit]!;
    }
    this.#constants(strip.units, (unit) => stage.bias?.[unit] ?? 0);
    const { norm } = stage;
    if (norm) {
      this.#constants(strip.units, (unit) => norm.scale[unit]!);
      this.#constants(strip.units, (unit) => norm.shift[unit]!);
    }
  }

  /** One number a unit, in whole vec4. */
  #constants(units: readonly number[], of: (unit: number) => number): void {
    for (let lane = 0; lane < Math.ceil(units.length / 4) * 4; lane++) {
      const unit = units[lane] ?? -1;
      this.#bias.push(unit < 0 ? 0 : of(unit));
    }
  }

  feature(feature: number, row: number, stride: number, knownRow: number): void {
    const task = new Array<number>(TASK_WORDS).fill(TASK_NONE);
    task.splice(0, 5, TASK_KIND.feature, feature, row, stride, knownRow);
    this.#tasks.push(task);
  }

  /** Whether any strip does more than add a bias and rectify. */
  get general(): boolean {
    return this.#tasks.some((task) => task[0] !== TASK_KIND.feature && !(task[9]! & TASK_PLAIN));
  }

  finish(): Omit<SolvePanel, 'products' | 'strips'> {
    for (const { task, word, term } of this.#sideWords) task[word]! += this.side.begin(term);
    const weight = new Float32Array(Math.max(4, this.#weightLength));
    let at = 0;
    for (const part of this.#weights) {
      weight.set(part, at);
      at += part.length;
    }
    return {
      tasks: Uint32Array.from(this.#tasks.flat()),
      taskCount: this.#tasks.length,
      weight,
      bias: Float32Array.from(this.#bias.length > 0 ? this.#bias : [0, 0, 0, 0]),
    };
  }
}
