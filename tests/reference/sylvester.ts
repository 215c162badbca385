import * as source from '../../src/kernels/generated/sylvester.js';
import { TILE, tiled } from './layout.js';
import type { MoveRow } from './row-layer.js';
import { logOnePlus, parameterOf, solveTanh, tanhSlope } from './tanh-solve.js';
import { defineTwin } from './twin.js';

interface Settings {
  readonly PER_ROW: boolean;
  readonly UNDO: boolean;
}

/** One row; the values of the hidden units too. */
export const moveSylvester =
  ({ PER_ROW, UNDO }: Settings): ((...row: Parameters<MoveRow>) => ReturnType<MoveRow> & { readonly hidden: Float64Array }) =>
  (x, parameter) => {
    const units = x.length;
    const diagonal = (i: number) => (PER_ROW ? Math.tanh(parameter(i)) : parameter(i));
    const [y, hidden] = [new Float64Array(units), new Float64Array(units)];
    let logDet = 0;
    for (let i = units - 1; i >= 0; i--) {
      let [fromHidden, beta] = [0, parameter(units * units + units + i)];
      for (let j = i + 1; j < units; j++) {
        fromHidden += parameter(i * units + j) * hidden[j]!;
        beta += parameter(j * units + i) * (UNDO ? y : x)[j]!;
      }
      const [r, rTilde] = [diagonal(i * units + i), diagonal(units * units + i)];
      const c = r * rTilde;
      const v = UNDO ? solveTanh(c, 1 + c, rTilde * (x[i]! - fromHidden) + beta) : rTilde * x[i]! + beta;
      const t = Math.tanh(v);
      hidden[i] = t;
      y[i] = x[i]! + (fromHidden + r * t) * (UNDO ? -1 : 1);
      const slope = tanhSlope(v);
      logDet += logOnePlus(c * slope, t * t + slope * (1 + c));
    }
    return { y, hidden, logDet: UNDO ? -logDet : logDet };
  };

export const sylvester = defineTwin(source.sylvester, ({ buffers, params, constants, rows }) => {
  const { units } = params;
  const move = moveSylvester(constants);
  for (let row = 0; row < rows; row++) {
    const base = tiled(units, row);
    const x = Float64Array.from({ length: units }, (_, i) => buffers.source[base + i * TILE]!);
    const { y, hidden, logDet } = move(x, parameterOf(buffers.parameters, row, constants.PER_ROW, params.parameter_features));
    for (let i = 0; i < units; i++) {
      const at = base + i * TILE;
      buffers.hidden[at] = hidden[i]!;
      buffers.moved[at] = y[i]!;
      if (constants.HAS_CHANGE) buffers.change[at] = y[i]! - x[i]!;
    }
    if (constants.HAS_LOG_DET) buffers.log_det[row]! += logDet;
  }
});
