// Runge-Kutta steps as recorded commands. The state is one tensor: `dim` features and, where it is wanted, the log-det after them, whose
// slope is the divergence. Times and step sizes live in a table: a constant of a fixed-step solve, a buffer that a host loop rewrites.

import { fill } from '../../kernels/fill.js';
import { rowSum } from '../../kernels/row-sum.js';
import { rungeKutta } from '../../kernels/runge-kutta.js';
import type { Recorder } from '../../runtime/recorder.js';
import { NONE, SLICE, type TiledTensor } from '../../runtime/tensor.js';
import { recordJoin } from '../bijectors/chain.js';
import type { TableTensor, VectorField } from './field.js';
import { type Tableau, timesOf } from './solvers.js';

/** Table of evaluations at `times`, then rows of coefficients, one a slice. */
export function fillTable(field: VectorField, times: readonly number[], rows: readonly (readonly number[])[]): Float32Array<ArrayBuffer> {
  const { tableSize } = field;
  const table = new Float32Array(times.length * tableSize + rows.length * SLICE);
  for (const [index, time] of times.entries()) field.writeTable(time, table.subarray(index * tableSize, (index + 1) * tableSize));
  for (const [index, row] of rows.entries()) table.set(row, times.length * tableSize + index * SLICE);
  return table;
}

interface Advance {
  readonly x: TiledTensor;
  readonly xAt?: number;
  readonly y: TiledTensor;
  readonly features: number;
  /** Slopes and their weights; without them x is copied. */
  readonly slopes?: { readonly k: TiledTensor; readonly stride: number; readonly terms: number; readonly coefficients: TableTensor };
}

/** Records y = x + Σ coefficients · k on some features. */
export function recordAdvance(r: Recorder, { x, xAt = 0, y, features, slopes }: Advance): void {
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
      y_at: 0,
      rtol: 0,
      atol: 0,
    },
  });
}

/** What a whole solve shares. */
export interface Solve {
  readonly field: VectorField;
  readonly context: TiledTensor | null;
  readonly probes: TiledTensor | null;
  /** Features of the state: dim, or dim + 1 with the log-det. */
  readonly width: number;
  /** Of every evaluation, and rows of coefficients, as `fillTable` fills both. */
  readonly times: TableTensor;
  readonly coefficients: TableTensor;
}

export const solveOf = (
  r: Recorder,
  field: VectorField,
  context: TiledTensor | null,
  width: number,
  times: TableTensor,
  coefficients: TableTensor,
): Solve => ({
  field,
  context: field.recordContext(r, context),
  probes: width > field.dim ? field.recordProbes(r) : null,
  width,
  times,
  coefficients,
});

/** A row of coefficients; the first are those of the tableau. */
export const rowAt = (r: Recorder, { coefficients }: Solve, row: number): TableTensor => r.slice(coefficients, row * SLICE);

/** Records the slope at `point` into block `stage` of k. */
export function recordSlope(r: Recorder, solve: Solve, point: TiledTensor, k: TiledTensor, stage: number, evaluation: number): void {
  const { field, context, probes, width } = solve;
  const table = r.slice(solve.times, evaluation * field.tableSize);
  field.recordEvaluation(r, { point, table, context, probes, slopes: k, at: stage * width, withDivergence: width > field.dim });
}

/** Records the first `features` of state + Σ coefficients · k over the first `terms` slopes. */
export function recordPoint(
  r: Recorder,
  solve: Solve,
  state: TiledTensor,
  k: TiledTensor,
  { label, features, terms, row }: { readonly label: string; readonly features: number; readonly terms: number; readonly row: number },
): TiledTensor {
  const y = r.tiled(features, label);
  recordAdvance(r, { x: state, y, features, slopes: { k, stride: solve.width, terms, coefficients: rowAt(r, solve, row) } });
  return y;
}

/** Records stages `from` … of one step from `state` into k. */
export function recordStages(
  r: Recorder,
  solve: Solve,
  a: Tableau['a'],
  state: TiledTensor,
  k: TiledTensor,
  { from, firstEvaluation }: { readonly from: number; readonly firstEvaluation: number },
): void {
  const features = solve.field.dim; // the log-det takes no part in the points between: nothing depends on it
  for (let stage = from; stage < a.length; stage++)
    r.scope(`stage[${stage}]`, () => {
      const point = stage === 0 ? state : recordPoint(r, solve, state, k, { label: 'point', features, terms: stage, row: stage });
      recordSlope(r, solve, point, k, stage, firstEvaluation + stage);
    });
}

/** Rows of coefficients of a step of size h: the tableau, then the weights of the step. */
export const coefficientRows = ({ a, b }: Tableau, h: number): number[][] => [...a, b].map((row) => row.map((value) => h * value));

/** Times of all evaluations of `steps` equal steps. */
export const stageTimes = (tableau: Tableau, start: number, h: number, steps: number): number[] =>
  Array.from({ length: steps }, (_, step) => timesOf(tableau).map((offset) => start + (step + offset) * h)).flat();

/** Records `steps` equal steps; returns the state after them. */
export function recordSteps(r: Recorder, solve: Solve, { a, b }: Tableau, state: TiledTensor, steps: number): TiledTensor {
  const { width } = solve;
  for (let step = 0; step < steps; step++) {
    state = r.scope(`step[${step}]`, () => {
      const k = r.tiled(a.length * width, 'slopes');
      recordStages(r, solve, a, state, k, { from: 0, firstEvaluation: step * a.length });
      return recordPoint(r, solve, state, k, { label: 'state', features: width, terms: b.length, row: a.length });
    });
  }
  return state;
}

/**
 * Puts value and log-det into one state tensor. Where gradients will be asked for, the state's log-det starts at 0, and `recordSplit` adds
 * it to `logDet`: what is overwritten has no derivative.
 */
export function recordState(r: Recorder, value: TiledTensor, logDet: TiledTensor | null): TiledTensor {
  const { features } = value;
  if (!logDet) return value;
  if (!r.differentiable) return recordJoin(r, value, logDet, features + 1, features);
  const y = r.tiled(features + 1, 'state');
  r.run(fill, { buffers: { destination: y }, params: { features: features + 1, value: 0 } });
  recordAdvance(r, { x: value, y, features });
  return y;
}

/** Takes a state apart again; the log-det replaces what `logDet` held, which the state began with. */
export function recordSplit(r: Recorder, state: TiledTensor, dim: number, logDet: TiledTensor | null): TiledTensor {
  if (logDet === null) return state;
  const value = r.tiled(dim, 'value');
  recordAdvance(r, { x: state, y: value, features: dim });
  const change = r.differentiable ? r.tiled(1, 'log-det') : logDet;
  recordAdvance(r, { x: state, xAt: dim, y: change, features: 1 });
  if (change !== logDet) r.run(rowSum, { buffers: { terms: change, total: logDet }, params: { features: 1 } });
  return value;
}
