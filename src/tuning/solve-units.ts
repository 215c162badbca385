// Reads back from the task list of a sequential solve what it computes: units of a chain of layers, and features between them. Strips that sum for others are
// taken together with those.

import type { Strip } from '../flows/conditioner/strips.js';
import { TASK_KIND, TASK_NONE, TASK_PANEL, TASK_WORDS } from '../kernels/autoregressive-solve.js';

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
  /** Row of the side tensor in which its sum begins, or null. */
  readonly side: number | null;
}

/** Units of one stage that become known together. */
export interface UnitsEvent {
  readonly stage: number;
  readonly units: SolveUnit[];
  /** State row of the stage's first input. */
  readonly inputRow: number;
  /** Number of its activation. */
  readonly activation: number;
}

export interface FeatureEvent {
  readonly feature: number;
  /** State rows of its first parameter, from one to the next, and of what becomes known. */
  readonly parameters: number;
  readonly stride: number;
  readonly known: number;
}

export type SolveEvent = UnitsEvent | FeatureEvent;

/** @param strips those of the list, in order (src/flows/conditioner/solve-plan.ts). */
export function readSolve(tasks: Uint32Array, weight: Float32Array, bias: Float32Array, strips: readonly Strip[]): SolveEvent[] {
  const events: SolveEvent[] = [];
  /** By stage and unit. */
  const sums = new Map<string, Pick<SolveUnit, 'runs' | 'side'>>();
  let next = 0;
  for (let at = 0; at < tasks.length; at += TASK_WORDS) {
    const [kind, first, second, third, fourth] = tasks.subarray(at) as unknown as readonly [number, number, number, number, number];
    if (kind === TASK_KIND.feature) {
      events.push({ feature: first, parameters: second, stride: third, known: fourth });
      continue;
    }
    const { stage, units: numbers, from, partialRow, prefix } = strips[next++]!;
    const [count, w, inputRow, output] = [first, second, third - from, fourth];
    const [constants, flags, panel] = [8, 9, TASK_PANEL].map((word) => tasks[at + word]!) as [number, number, number];
    const units: SolveUnit[] = [];
    for (const [lane, unit] of numbers.entries()) {
      if (unit < 0) continue;
      const key = `${stage} ${unit}`;
      const before = partialRow === null ? undefined : sums.get(key);
      const weights = Float32Array.from({ length: count }, (_, k) => weight[4 * w + k * numbers.length + lane]!);
      const runs = [...(before?.runs ?? []), { from, weights }];
      const side = panel === TASK_NONE ? (before?.side ?? null) : panel + lane;
      if (prefix) sums.set(key, { runs, side });
      else units.push({ row: output + lane, runs, bias: bias[4 * constants + lane]!, side });
    }
    if (prefix) continue;
    const last = events.at(-1);
    if (last && 'units' in last && last.stage === stage) last.units.push(...units);
    else events.push({ stage, units, inputRow, activation: flags & 255 });
  }
  return events;
}
