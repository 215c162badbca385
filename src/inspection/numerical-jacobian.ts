// What checkLogDet measures, loaded when it is asked for.

import type { ContextOption, Flow } from '../flows/flow.js';
import { invertMatrix } from '../flows/linear-algebra.js';
import type { LogDetReport } from './check-log-det.js';
import { worseOf } from './round-trip.js';
import { findSaturation } from './saturation.js';

/** Rows of one call of `forward`: 4 D shifted copies of each row of x. */
const ROWS_AT_ONCE = 65_536;

const UNCERTAIN = 2e-3;

/** Compares the log-det of forward at x with that of central differences with steps h and 2h. */
export async function compareLogDets(flow: Flow, x: Float32Array, step: number, rest: ContextOption): Promise<LogDetReport> {
  const { z: centre, logDet } = await flow.forward(x, rest);
  const { dim } = flow;
  const rows = x.length / dim;
  const numerical = new Float64Array(rows);
  let [maxError, worstRow, uncertainty, uncertainRows] = [0, 0, 0, 0];
  const perCall = Math.max(1, Math.floor(ROWS_AT_ONCE / (4 * dim)));
  for (let first = 0; first < rows; first += perCall) {
    const count = Math.min(perCall, rows - first);
    const points = shifted(x.subarray(first * dim, (first + count) * dim), dim, step);
    const { z } = await flow.forward(points, repeatedContext(flow, rest.context, rows, first, count));
    for (let i = 0; i < count; i++) {
      const row = first + i;
      const [fine, ...others] = logDets(centre.subarray(row * dim, (row + 1) * dim), z, points, i, dim);
      numerical[row] = fine;
      const scale = 1 + Math.abs(fine);
      const spread = Math.max(...others.map((other) => Math.abs(fine - other))) / scale;
      if (!(spread <= UNCERTAIN)) {
        uncertainRows++;
        continue;
      }
      uncertainty = Math.max(uncertainty, spread);
      const error = Math.abs(logDet[row]! - fine) / scale;
      if (worseOf(maxError, error) > maxError) {
        maxError = worseOf(maxError, error);
        worstRow = row;
      }
    }
  }
  const warnings = await findSaturation(flow, x, logDet, rest);
  return { rows, maxError, worstRow, uncertainty, uncertainRows, numerical, warnings };
}

/** For each row and feature, x shifted by +h, −h, +2h, −2h. */
function shifted(x: Float32Array, dim: number, step: number): Float32Array {
  const points = new Float32Array(x.length * 4 * dim);
  for (const [i, value] of x.entries()) {
    const [row, f] = [Math.floor(i / dim), i % dim];
    const h = step * Math.max(1, Math.abs(value));
    for (const [k, shift] of [h, -h, 2 * h, -2 * h].entries()) {
      const at = (4 * i + k) * dim;
      points.set(x.subarray(row * dim, (row + 1) * dim), at);
      points[at + f] = value + shift;
    }
  }
  return points;
}

/**
 * log|det| of the extrapolated Jacobian of a row, of the one of step h alone, and of one with the slope changes of kinks added: second
 * differences over h grow with h where z is smooth, and do not at a kink.
 */
function logDets(centre: Float32Array, z: Float32Array, points: Float32Array, row: number, dim: number): [number, ...number[]] {
  const [fine, coarse, kinked] = [new Float64Array(dim * dim), new Float64Array(dim * dim), new Float64Array(dim * dim)];
  for (let f = 0; f < dim; f++) {
    const at = (row * dim + f) * 4 * dim;
    // Steps as float32 holds them.
    const [h, h2] = [points[at + f]! - points[at + dim + f]!, points[at + 2 * dim + f]! - points[at + 3 * dim + f]!];
    for (let o = 0; o < dim; o++) {
      const [up, down, up2, down2] = [0, 1, 2, 3].map((k) => z[at + k * dim + o]! - centre[o]!) as [number, number, number, number];
      const [near, far] = [(up - down) / h, (up2 - down2) / h2];
      fine[o * dim + f] = (4 * near - far) / 3;
      coarse[o * dim + f] = near;
      kinked[o * dim + f] = fine[o * dim + f]! + (up2 + down2) / h2 - (2 * (up + down)) / h;
    }
  }
  const logDetOf = (jacobian: Float64Array) => invertMatrix(jacobian, dim).logAbsDet;
  return [logDetOf(fine), logDetOf(coarse), logDetOf(kinked)];
}

/** A context row for each shifted copy. */
function repeatedContext(flow: Flow, context: Float32Array | undefined, rows: number, first: number, count: number): ContextOption {
  if (!context) return {};
  const { contextDim, dim } = flow;
  if (context.length !== rows * contextDim || rows === 1) return { context };
  const repeated = new Float32Array(count * 4 * dim * contextDim);
  for (let i = 0; i < count * 4 * dim; i++) {
    const row = first + Math.floor(i / (4 * dim));
    repeated.set(context.subarray(row * contextDim, (row + 1) * contextDim), i * contextDim);
  }
  return { context: repeated };
}
