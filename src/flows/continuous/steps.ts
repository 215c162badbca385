// Runge-Kutta steps as recorded commands. The state is one tensor: `dim` features and, where it is wanted, the log-det after them, whose
// slope is the divergence. Times and step sizes live in a table: a constant of a fixed-step solve, a buffer that a host loop rewrites.

import { rungeKutta } from '../../kernels/runge-kutta.js';
import type { Recorder } from '../../runtime/recorder.js';
import { NONE, SLICE, type TiledTensor } from '../../runtime/tensor.js';
import type { TableTensor, VectorField } from './field.js';
import type { Tableau } from './solvers.js';

/** Table of some evaluations, then rows of coefficients, one a slice. */
export interface StepTable {
  readonly tensor: TableTensor;
  readonly evaluations: number;
  readonly field: VectorField;
}

/** Length of the table of `evaluations` times and `rows` rows of coefficients. */
export const tableLength = (field: VectorField, evaluations: number, rows: number): number => evaluations * field.tableSize + rows * SLICE;

export function fillTable(field: VectorField, times: readonly number[], rows: readonly (readonly number[])[]): Float32Array<ArrayBuffer> {
  const table = new Float32Array(tableLength(field, times.length, rows.length));
  for (const [index, time] of times.entries())
    field.writeTable(time, table.subarray(index * field.tableSize, (index + 1) * field.tableSize));
  for (const [index, row] of rows.entries()) table.set(row, times.length * field.tableSize + index * SLICE);
  return table;
}

const evaluationAt = (r: Recorder, { tensor, field }: StepTable, index: number): TableTensor => r.slice(tensor, index * field.tableSize);
const rowAt = (r: Recorder, { tensor, field, evaluations }: StepTable, index: number): TableTensor =>
  r.slice(tensor, evaluations * field.tableSize + index * SLICE);

interface Advance {
  readonly x: TiledTensor;
  readonly xAt?: number;
  readonly y: TiledTensor;
  readonly yAt?: number;
  readonly features: number;
  /** Slopes and their weights; without them x is copied. */
  readonly slopes?: { readonly k: TiledTensor; readonly stride: number; readonly terms: number; readonly coefficients: TableTensor };
}

/** Records y = x + Σ coefficients · k on some features. */
export function recordAdvance(r: Recorder, { x, xAt = 0, y, yAt = 0, features, slopes }: Advance): void {
  r.run(rungeKutta.advance, {
    buffers: { x, k: slopes?.k ?? NONE, coefficients: slopes?.coefficients ?? NONE, y },
    params: {
      features,
      terms: slopes?.terms ?? 0,
      x_features: x.features,
      x_at: xAt,
      k_features: slopes?.k.features ?? 1,
      k_stride: slopes?.stride ?? 1,
      y_features: y.features,
      y_at: yAt,
      rtol: 0,
      atol: 0,
    },
  });
}

/** What a whole solve shares. */
export interface SolveContext {
  readonly field: VectorField;
  readonly context: TiledTensor | null;
  readonly probes: TiledTensor | null;
  /** Features of the state: dim, or dim + 1 with the log-det. */
  readonly width: number;
}

export function solveContext(r: Recorder, field: VectorField, context: TiledTensor | null, withLogDet: boolean): SolveContext {
  return {
    field,
    context: field.recordContext(r, context),
    probes: withLogDet ? field.recordProbes(r) : null,
    width: field.dim + (withLogDet ? 1 : 0),
  };
}

/** Records the slope at `point` into block `stage` of k. */
export function recordSlope(r: Recorder, solve: SolveContext, point: TiledTensor, k: TiledTensor, stage: number, table: TableTensor): void {
  const { field, context, probes, width } = solve;
  field.recordEvaluation(r, { point, table, context, probes, slopes: k, at: stage * width, withDivergence: width > field.dim });
}

/** Records stages `from` … of one step from `state` into k; rows 0 … of the table are those of the tableau. */
export function recordStages(
  r: Recorder,
  solve: SolveContext,
  {
    a,
    state,
    k,
    from,
    table,
    firstEvaluation,
  }: {
    readonly a: Tableau['a'];
    readonly state: TiledTensor;
    readonly k: TiledTensor;
    readonly from: number;
    readonly table: StepTable;
    readonly firstEvaluation: number;
  },
): void {
  const { field, width } = solve;
  for (let stage = from; stage < a.length; stage++) {
    r.scope(`stage[${stage}]`, () => {
      let point = state;
      if (stage > 0) {
        // The log-det takes no part in the points between: nothing depends on it.
        point = r.tiled(field.dim, 'point');
        const slopes = { k, stride: width, terms: stage, coefficients: rowAt(r, table, stage) };
        recordAdvance(r, { x: state, y: point, features: field.dim, slopes });
      }
      recordSlope(r, solve, point, k, stage, evaluationAt(r, table, firstEvaluation + stage));
    });
  }
}

/** Rows of coefficients of a step of size h: the tableau, then the weights of the step. */
export const coefficientRows = ({ a, b }: Tableau, h: number): number[][] => [...a, b].map((row) => row.map((value) => h * value));

/** Times of all evaluations of `steps` equal steps. */
export const stageTimes = ({ c }: Tableau, start: number, h: number, steps: number): number[] =>
  Array.from({ length: steps }, (_, step) => c.map((offset) => start + (step + offset) * h)).flat();

/** Records `steps` equal steps; returns the state after them. */
export function recordSteps(
  r: Recorder,
  solve: SolveContext,
  tableau: Tableau,
  state: TiledTensor,
  table: StepTable,
  steps: number,
): TiledTensor {
  const { a, b } = tableau;
  const { width } = solve;
  for (let step = 0; step < steps; step++) {
    state = r.scope(`step[${step}]`, () => {
      const k = r.tiled(a.length * width, 'slopes');
      recordStages(r, solve, { a, state, k, from: 0, table, firstEvaluation: step * a.length });
      const next = r.tiled(width, 'state');
      const slopes = { k, stride: width, terms: b.length, coefficients: rowAt(r, table, a.length) };
      recordAdvance(r, { x: state, y: next, features: width, slopes });
      return next;
    });
  }
  return state;
}

/** Puts value and log-det into one state tensor. */
export function recordJoin(r: Recorder, value: TiledTensor, logDet: TiledTensor | null): TiledTensor {
  if (logDet === null) return value;
  const state = r.tiled(value.features + 1, 'state');
  recordAdvance(r, { x: value, y: state, features: value.features });
  recordAdvance(r, { x: logDet, y: state, yAt: value.features, features: 1 });
  return state;
}

/** Takes a state apart again; the log-det replaces what `logDet` held. */
export function recordSplit(r: Recorder, state: TiledTensor, dim: number, logDet: TiledTensor | null): TiledTensor {
  if (logDet === null) return state;
  const value = r.tiled(dim, 'value');
  recordAdvance(r, { x: state, y: value, features: dim });
  recordAdvance(r, { x: state, xAt: dim, y: logDet, features: 1 });
  return value;
}
