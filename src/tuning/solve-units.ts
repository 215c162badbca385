// Reads back from the task list of a sequential solve what it computes: units of a chain of layers, and features between them. Strips that sum for others are
// taken together with those.

import type { Strip } from '../flows/conditioner/strips.js';
import { TASK_KIND, TASK_WORDS } from '../kernels/autoregressive-solve.js';

/** Weights of a unit by inputs `from` … of its stage. */
interface Run {
  readonly from: number;
  readonly weights: Float32Array;
}

export interface SolveUnit {
  /** State row that it is written to, which for parameters is used again. */
  readonly row: number;
  readonly runs: readonly Run[];
  readonly bias: number;
}

/** Units of one stage that become known together. */
export interface UnitsEvent {
  readonly stage: number;
  readonly units: SolveUnit[];
  /** Number of its activation. */
  readonly activation: number;
}

export interface FeatureEvent {
  readonly feature: number;
  /** State row of its first parameter, and from one to the next. */
  readonly parameters: number;
  readonly stride: number;
}

export type SolveEvent = UnitsEvent | FeatureEvent;

/** @param strips those of the list, in order, which is that of a whole solve (src/flows/conditioner/solve-plan.ts). */
export function readSolve(tasks: Uint32Array, weight: Float32Array, bias: Float32Array, strips: readonly Strip[]): SolveEvent[] {
  const events: SolveEvent[] = [];
  /** Partial sums, by stage and unit. */
  const sums = new Map<string, readonly Run[]>();
  let next = 0;
  for (let at = 0; at < tasks.length; at += TASK_WORDS) {
    const task = tasks.subarray(at, at + TASK_WORDS);
    if (task[0] === TASK_KIND.feature) {
      const [, feature, parameters, stride] = task as unknown as readonly [number, number, number, number];
      events.push({ feature, parameters, stride });
      continue;
    }
    const { stage, units: numbers, from, partialRow, prefix } = strips[next++]!;
    const [count, w, output, constants, flags] = [1, 2, 4, 8, 9].map((word) => task[word]!) as [number, number, number, number, number];
    const units: SolveUnit[] = [];
    for (const [lane, unit] of numbers.entries()) {
      if (unit < 0) continue;
      const key = `${stage} ${unit}`;
      const weights = Float32Array.from({ length: count }, (_, k) => weight[4 * w + k * numbers.length + lane]!);
      const runs = [...((partialRow !== null && sums.get(key)) || []), { from, weights }];
      if (prefix) sums.set(key, runs);
      else units.push({ row: output + lane, runs, bias: bias[4 * constants + lane]! });
    }
    if (prefix) continue;
    const last = events.at(-1);
    if (last && 'units' in last && last.stage === stage) last.units.push(...units);
    else events.push({ stage, units, activation: flags & 255 });
  }
  return events;
}
