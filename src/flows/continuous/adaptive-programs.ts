// Programs of an adaptive solve by Dormand–Prince 5(4). They read their times and step size from the external `table`, so that one program
// serves every step: `context` [rows, C], `state` and `slope` [rows, width] go in, `stateNext`, `slopeNext` and `error` come out.

import { rungeKutta } from '../../kernels/runge-kutta.js';
import type { Program } from '../../runtime/program.js';
import { Recorder } from '../../runtime/recorder.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import { recordContext, recordInput, recordOutput } from '../task.js';
import type { VectorField } from './field.js';
import { type AdaptiveSolver, DOPRI5_ERROR, TABLEAUS, timesOf } from './solvers.js';
import { coefficientRows, fillTable, recordAdvance, recordPoint, recordSlope, recordStages, rowAt, type Solve, solveOf } from './steps.js';

const { a, b } = TABLEAUS.dopri5;
/** The seventh lies at the end of the step. */
const STAGES = a.length + 1;
const LAST = STAGES - 1;
const ROW_OF_STEP = a.length;
const ROW_OF_ERROR = a.length + 1;

/** What a trial program reads as `table`, for a step from t to t + h. */
export const stepTable = (field: VectorField, t: number, h: number): Float32Array<ArrayBuffer> =>
  fillTable(
    field,
    [...timesOf(TABLEAUS.dopri5), 1].map((offset) => t + offset * h),
    [...coefficientRows(TABLEAUS.dopri5, h), DOPRI5_ERROR.map((value) => h * value)],
  );

function begin(label: string, field: VectorField, width: number, contextDim: number): { r: Recorder; solve: Solve; state: TiledTensor } {
  const r = new Recorder(label);
  const table = r.external('table', 0);
  const solve = solveOf(r, field, recordContext(r, contextDim), width, table, r.slice(table, STAGES * field.tableSize));
  return { r, solve, state: recordInput(r, 'state', width) };
}

/** slope = f(t, state) with `stepTable(field, t, …)`: before the first step. */
export function recordFirst(field: VectorField, width: number, contextDim: number): Program {
  const { r, solve, state } = begin('cnf first slope', field, width, contextDim);
  const slope = r.tiled(width, 'slope');
  recordSlope(r, solve, state, slope, 0, 0);
  recordOutput(r, 'slope', slope);
  return r.finish();
}

/** One trial step: the state after it, the slope there, and each row's squared error beside what is allowed. */
export function recordTrial(field: VectorField, width: number, contextDim: number, { rtol, atol }: AdaptiveSolver): Program {
  const { r, solve, state } = begin('cnf step', field, width, contextDim);
  const k = r.tiled(STAGES * width, 'slopes');
  recordAdvance(r, { x: recordInput(r, 'slope', width), y: k, features: width });
  recordStages(r, solve, a, state, k, { from: 1, firstEvaluation: 0 });
  const next = recordPoint(r, solve, state, k, { label: 'state', features: width, terms: b.length, row: ROW_OF_STEP });
  recordSlope(r, solve, next, k, LAST, LAST);
  const error = r.tiled(1, 'error');
  const sizes = { features: width, x_features: width, x_at: 0, k_features: k.features, k_stride: width, y_features: width, y_at: 0 };
  r.run(rungeKutta.stepError, {
    buffers: { x: state, k, coefficients: rowAt(r, solve, ROW_OF_ERROR), y_next: next, error },
    params: { ...sizes, terms: STAGES, rtol, atol },
  });
  const slope = r.tiled(width, 'slope');
  recordAdvance(r, { x: k, xAt: LAST * width, y: slope, features: width });
  recordOutput(r, 'stateNext', next);
  recordOutput(r, 'slopeNext', slope);
  recordOutput(r, 'error', error);
  return r.finish();
}
