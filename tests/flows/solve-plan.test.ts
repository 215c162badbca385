// The sequential plan against brute force: readiness, coverage of the masks, and order of reads and writes.

import { describe, expect, test } from 'vitest';
import { type Conditioner, connected, INPUT } from '../../src/flows/conditioner/conditioner.js';
import { identityOrder } from '../../src/flows/conditioner/packing.js';
import { type Readiness, readiness } from '../../src/flows/conditioner/readiness.js';
import { planSolve, type SolvePlan } from '../../src/flows/conditioner/solve-plan.js';
import { TASK_HAS_SKIP, TASK_KIND, TASK_NONE, TASK_PANEL, TASK_SKIPS, TASK_WORDS } from '../../src/kernels/autoregressive-solve.js';
import { type ConditionerShape, makeConditioner } from '../support/conditioners.js';
import { freshSeed, Random } from '../support/random.js';

// biome-ignore format: one line a shape
const shapes: Readonly<Record<string, ConditionerShape>> = {
  'D 1': { dim: 1, hidden: [7] },
  'D 2': { dim: 2, hidden: [7] },
  'D 5, two layers': { dim: 5, hidden: [33, 20] },
  'D 9, identity order': { dim: 9, hidden: [40, 31], order: [...identityOrder(9)] },
  'D 9, random degrees': { dim: 9, hidden: [40, 31], masks: 'random' },
  'D 9, random entries': { dim: 9, hidden: [25, 18], masks: 'sparse' },
  'D 30, random entries, three layers': { dim: 30, hidden: [25, 18, 40], masks: 'sparse' },
  'D 6, fewer units than features': { dim: 6, hidden: [3, 2] },
  'D 6, residual': { dim: 6, hidden: [21, 21, 21], residual: true },
  'D 6, residual with norm and gated context': { dim: 6, hidden: [21, 21], residual: true, norm: true, contextDim: 3, masks: 'random' },
  'D 6, identity activations between residual blocks': { dim: 6, hidden: [21, 21, 21], residual: true, activation: 'identity' },
  'D 8, two nets': { dim: 8, hidden: [19, 12], twoNets: true },
  'D 8, two nets of random entries with context': { dim: 8, hidden: [19, 12], twoNets: true, contextDim: 2, masks: 'sparse' },
  'D 5, shift alone': { dim: 5, hidden: [33, 20], heads: 1 },
  'D 63': { dim: 63, hidden: [130, 70] },
  'D 9, wide': { dim: 9, hidden: [200, 200] },
  'D 9, wide, of random degrees with gated context': { dim: 9, hidden: [150, 150, 150], residual: true, contextDim: 3, masks: 'random' },
  'D 30, wide, two nets of many parameters': { dim: 30, hidden: [150, 130], twoNets: true },
  'D 12, wide, many parameters': { dim: 12, hidden: [160, 130], heads: 11, masks: 'sparse' },
};

/** Readiness by its definition: each step computes all that is computable, in any order, until nothing more is. */
function bruteForce({ inputs, stages, heads }: Conditioner): Readiness | null {
  const stepOf = new Int32Array(inputs).fill(-1);
  const unitReady = stages.map((stage) => new Int32Array(stage.outputs).fill(-1));
  const isKnown = (stage: number, unit: number, step: number) =>
    stage === INPUT ? stepOf[unit]! >= 0 && stepOf[unit]! < step : unitReady[stage]![unit]! >= 0;
  const computeAll = (step: number) => {
    for (let changed = true; changed; ) {
      changed = false;
      for (const [index, stage] of stages.entries()) {
        for (let o = 0; o < stage.outputs; o++) {
          if (unitReady[index]![o]! >= 0) continue;
          let ready = stage.skip === null || isKnown(stage.skip, o, step);
          for (let i = 0; ready && i < stage.inputs; i++) ready = !connected(stage, o, i) || isKnown(stage.input, i, step);
          if (ready) unitReady[index]![o] = step;
          changed ||= ready;
        }
      }
    }
  };
  for (let step = 0; ; step++) {
    computeAll(step);
    const taken = [...identityOrder(inputs)].filter(
      (feature) => stepOf[feature]! < 0 && heads.every(({ stage, units }) => unitReady[stage]![units[feature]!]! >= 0),
    );
    if (taken.length === 0) {
      if (stepOf.some((at) => at < 0)) return null;
      // What is first computable after the last step is never needed.
      return { steps: step, stepOf, unitReady };
    }
    for (const feature of taken) stepOf[feature] = step;
  }
}

/** How often the plan adds each entry of each stage's weights: once where the mask is open and the unit is ever computed. */
function checkCoverage(conditioner: Conditioner, ready: Readiness, plan: SolvePlan): number {
  let nonZeros = 0;
  for (const [index, stage] of conditioner.stages.entries()) {
    const counts = new Int32Array(stage.outputs * stage.inputs);
    const columns = plan.columns.get(stage.input)!;
    const finals = new Int32Array(stage.outputs);
    for (const product of plan.panels.flatMap(({ products }) => products)) {
      if (product.stage !== index) continue;
      for (const unit of product.units) for (let k = 0; k < product.count; k++) counts[unit * stage.inputs + columns[k]!]!++;
    }
    for (const strip of plan.strips) {
      if (strip.stage !== index) continue;
      for (const unit of strip.units) {
        if (unit < 0) continue;
        if (!strip.prefix) finals[unit]!++;
        for (let k = strip.from; k < strip.count; k++) if (columns[k]! >= 0) counts[unit * stage.inputs + columns[k]!]!++;
      }
    }
    for (let o = 0; o < stage.outputs; o++) {
      const computed = ready.unitReady[index]![o]! < ready.steps;
      expect(finals[o], `stage ${index}, unit ${o}`).toBe(computed ? 1 : 0);
      for (let i = 0; i < stage.inputs; i++) {
        if (!connected(stage, o, i)) continue;
        nonZeros++;
        expect(counts[o * stage.inputs + i], `stage ${index}, unit ${o}, input ${i}`).toBe(computed ? 1 : 0);
      }
    }
  }
  return nonZeros;
}

/** Walks the tasks as the kernel does and tracks what each state row holds: every read must find what the task means to read. */
function checkOrder({ stages, heads }: Conditioner, plan: SolvePlan): void {
  const holds = new Array<string | undefined>(plan.nodes);
  const beside = new Map<number, string>(); // rows of the side tensor
  let next = 0;
  const done: number[] = [];
  for (const { products, tasks, taskCount, weight, bias } of plan.panels) {
    for (const { stage, units, count, packed, inputRow, at } of products) {
      const { input } = stages[stage]!;
      expect([packed.inputs, packed.outputs]).toEqual([count, units.length]);
      for (let k = 0; k < count; k++) expect(holds[inputRow + k]).toBe(`${input}:${plan.columns.get(input)![k]}`);
      for (const [i, unit] of units.entries()) beside.set(at + i, `partial ${stage}:${unit} < ${count}`);
      for (const { at: row } of plan.side) expect(row).toBeGreaterThanOrEqual(at + units.length);
    }
    for (let t = 0; t < taskCount; t++) {
      const task = tasks.subarray(t * TASK_WORDS, (t + 1) * TASK_WORDS);
      if (task[0] === TASK_KIND.feature) {
        const [, feature, row, stride, known] = task as unknown as number[];
        for (const [p, head] of heads.entries())
          expect(holds[row! + p * stride!], `parameter ${p} of feature ${feature}`).toBe(`${head.stage}:${head.units[feature!]}`);
        holds[known!] = `${INPUT}:${feature}`;
        done.push(feature!);
        continue;
      }
      const strip = plan.strips[next++]!;
      const stage = stages[strip.stage]!;
      const columns = plan.columns.get(stage.input)!;
      expect(8 >> task[0]!).toBe(strip.units.length);
      expect(task[1]).toBe(strip.count - strip.from);
      for (let k = 0; k < task[1]!; k++) {
        const column = columns[strip.from + k]!;
        const place = `task ${t}, stage ${strip.stage}, input ${column}`;
        // A padding unit holds anything, but something: a weight of 0 times NaN is NaN.
        if (column < 0) expect(holds[task[3]! + k], place).toBeDefined();
        else expect(holds[task[3]! + k], place).toBe(`${stage.input}:${column}`);
      }
      const weights = 4 * task[2]! + task[1]! * strip.units.length;
      expect(weights).toBeLessThanOrEqual(weight.length);
      expect(task[8]! + strip.units.length * (stage.norm && !strip.prefix ? 3 : 1)).toBeLessThanOrEqual(bias.length);
      for (const [lane, unit] of strip.units.entries()) {
        if (strip.partialRow !== null && unit >= 0)
          expect(holds[task[10]! + lane], `task ${t}, partial sum of ${strip.stage}:${unit}`).toBe(
            `partial ${strip.stage}:${unit} < ${strip.from}`,
          );
        // Among panels, the upper half of a strip of 8 never reads partial sums of the state.
        if (plan.panels.length > 1 && strip.partialRow !== null) expect(strip.units).toHaveLength(4);
        if (strip.panelRow !== null) expect(task[TASK_PANEL]! + lane).toBeLessThan(plan.sideFeatures);
        if (strip.panelRow !== null && unit >= 0)
          expect(beside.get(task[TASK_PANEL]! + lane), `task ${t}, sum of ${strip.stage}:${unit}`).toBe(
            `partial ${strip.stage}:${unit} < ${strip.from}`,
          );
        if (!strip.prefix && ((task[9]! & TASK_HAS_SKIP) !== 0) !== (stage.skip !== null)) throw new Error(`task ${t}: skip flag`);
        if (!strip.prefix && stage.skip !== null && unit >= 0) {
          const plain = stages[stage.skip]!.norm === null && stages[stage.skip]!.activation === 'identity';
          expect(holds[task[TASK_SKIPS + lane]!]).toBe(`${plain ? '' : 'raw '}${stage.skip}:${unit}`);
        }
      }
      // Reads come before writes within a task too: a strip does not overwrite what it reads.
      for (const [lane, unit] of strip.units.entries()) {
        holds[task[4]! + lane] = strip.prefix ? `partial ${strip.stage}:${unit} < ${strip.count}` : `${strip.stage}:${unit}`;
        if (task[5] !== TASK_NONE) holds[task[5]! + lane] = `raw ${strip.stage}:${unit}`;
        // Padding lanes too stay within the state, off its row of zeros.
        for (const word of [4, 5, 10]) if (task[word] !== TASK_NONE) expect(task[word]! + lane).toBeLessThan(plan.nodes - 1);
      }
    }
  }
  expect(next).toBe(plan.strips.length);
  expect([...done].sort((a, b) => a - b)).toEqual([...identityOrder(done.length)]);
}

describe('sequential plan', () => {
  describe.each(Object.entries(shapes))('%s', (_, shape) => {
    test('readiness is that of brute force, and the plan uses each non-zero once, in order', () => {
      for (let trial = 0; trial < (shape.hidden[0]! < 140 ? 5 : 2); trial++) {
        const seed = freshSeed();
        const conditioner = makeConditioner(new Random(seed), shape);
        const expected = bruteForce(conditioner)!;
        const got = readiness(conditioner)!;
        const note = `VITE_TEST_SEED=${seed}`;
        expect(got, note).not.toBeNull();
        expect(got.steps, note).toBe(expected.steps);
        expect(got.stepOf, note).toEqual(expected.stepOf);
        expect(got.unitReady, note).toEqual(expected.unitReady);
        // Panels of a few units cut every net that has as many.
        for (const panelUnits of [undefined, 3, 17]) {
          const plan = planSolve(conditioner, got, panelUnits);
          checkCoverage(conditioner, got, plan);
          checkOrder(conditioner, plan);
        }
      }
    });
  });

  test('costs at most 1.5 times the non-zeros of the masks for D 64, H 512 × 2', () => {
    const conditioner = makeConditioner(new Random(1), { dim: 64, hidden: [512, 512] });
    const ready = readiness(conditioner)!;
    const plan = planSolve(conditioner, ready);
    const nonZeros = checkCoverage(conditioner, ready, plan);
    const inStrips = plan.strips.reduce((sum, { from, count, units }) => sum + (count - from) * units.length, 0);
    const products = plan.panels.flatMap(({ products }) => products);
    const multiplyAdds = products.reduce((sum, { count, units }) => sum + count * units.length, inStrips);
    console.info(`multiply-adds / non-zeros: ${(multiplyAdds / nonZeros).toFixed(3)}`);
    expect(plan.panels.map(({ products }) => products.length)).toEqual([0, 2, 2, 2]);
    expect(multiplyAdds).toBeLessThanOrEqual(1.5 * nonZeros);
    expect(multiplyAdds).toBeGreaterThanOrEqual(nonZeros * 0.9); // units that feed nothing are left out
  });

  test('a feature that depends on itself has no plan', () => {
    const conditioner = makeConditioner(new Random(1), { dim: 4, hidden: [12] });
    const [first, last] = conditioner.stages;
    const dense = {
      ...conditioner,
      stages: [
        { ...first!, mask: null },
        { ...last!, mask: null },
      ],
    };
    expect(readiness(dense)).toBeNull();
    // One entry too many is enough: the last feature's parameters read a unit that reads the last feature.
    const mask = last!.mask!.slice();
    const closed = mask.indexOf(0);
    mask[closed] = 1;
    const open = first!.mask!.slice();
    open.fill(1, (closed % last!.inputs) * first!.inputs, ((closed % last!.inputs) + 1) * first!.inputs);
    expect(
      readiness({
        ...conditioner,
        stages: [
          { ...first!, mask: open },
          { ...last!, mask },
        ],
      }),
    ).toBeNull();
  });

  test('two features that depend on each other have no plan', () => {
    const conditioner = makeConditioner(new Random(1), { dim: 2, hidden: [2], order: [0, 1] });
    const [first, last] = conditioner.stages;
    // Unit i reads feature i, and the parameters of the other feature read unit i.
    const stages = [
      { ...first!, mask: Uint8Array.of(1, 0, 0, 1) },
      { ...last!, mask: Uint8Array.of(0, 1, 1, 0, 0, 1, 1, 0) },
    ];
    expect(readiness({ ...conditioner, stages })).toBeNull();
    expect(bruteForce({ ...conditioner, stages })).toBeNull();
  });
});
