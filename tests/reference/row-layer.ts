// What the twins of planar, radial and Sylvester layers share, row by row, and of the kernels of their derivatives.

import { differences, dot } from './differences.js';
import { TILE, tiled } from './layout.js';
import { parameterOf } from './tanh-solve.js';

/** One row of a layer: its output, and what it adds to the log-det. @param parameter by its place among those of a row. */
export type MoveRow = (x: Float64Array, parameter: (i: number) => number) => { readonly y: Float64Array; readonly logDet: number };

const rowOf = (tensor: Float64Array, features: number, row: number): Float64Array =>
  Float64Array.from({ length: features }, (_, f) => tensor[tiled(features, row) + f * TILE]!);

function store(tensor: Float64Array, row: number, values: Float64Array): void {
  for (const [f, value] of values.entries()) tensor[tiled(values.length, row) + f * TILE] = value;
}

interface LayerCall {
  readonly rows: number;
  readonly features: number;
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly parameters: Float64Array;
  readonly parameter_features: number;
  readonly PER_ROW: boolean;
  /** Added to; null where none is wanted. */
  readonly log_det: Float64Array | null;
}

export function runRowLayer({ rows, features, x, y, parameters, parameter_features, PER_ROW, log_det }: LayerCall, move: MoveRow): void {
  for (let row = 0; row < rows; row++) {
    const moved = move(rowOf(x, features, row), parameterOf(parameters, row, PER_ROW, parameter_features));
    store(y, row, moved.y);
    if (log_det) log_det[row]! += moved.logDet;
  }
}

interface BackwardCall {
  readonly rows: number;
  readonly features: number;
  /** The input, or with UNDO the output. */
  readonly z: Float64Array;
  readonly parameters: Float64Array;
  readonly parameterFeatures: number;
  /** Null where the loss does not depend on it. */
  readonly d_y: Float64Array | null;
  readonly d_log_det: Float64Array | null;
  readonly d_x: Float64Array;
  readonly d_parameters: Float64Array;
}

/** By differences of the layer's own twin. @param move in both directions. */
export function runRowLayerBackward(
  { rows, features, z, parameters, parameterFeatures, d_y, d_log_det, d_x, d_parameters }: BackwardCall,
  UNDO: boolean,
  move: (undo: boolean) => MoveRow,
): void {
  for (let row = 0; row < rows; row++) {
    const own = rowOf(parameters, parameterFeatures, row);
    const seed = d_y && rowOf(d_y, features, row);
    const by = (x: Float64Array, given: Float64Array): number => {
      const { y, logDet } = move(UNDO)(x, (i) => given[i]!);
      return (seed ? dot(seed, y) : 0) + (d_log_det ? d_log_det[row]! * logDet : 0);
    };
    const known = rowOf(z, features, row);
    const x = UNDO ? move(false)(known, (i) => own[i]!).y : known;
    store(
      d_x,
      row,
      differences((at) => by(at, own), x),
    );
    store(
      d_parameters,
      row,
      differences((at) => by(x, at), own),
    );
  }
}
