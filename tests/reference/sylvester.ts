import * as source from '../../src/kernels/generated/sylvester.js';
import { TILE, tiled } from './layout.js';
import { logOnePlus, parameterOf, solveTanh, tanhSlope } from './tanh-solve.js';
import { defineTwin } from './twin.js';

export const sylvester = defineTwin(source.sylvester, ({ buffers, params, constants, rows }) => {
  const { source: from, moved, change, hidden, log_det } = buffers;
  const { units } = params;
  const { PER_ROW, UNDO, HAS_CHANGE, HAS_LOG_DET } = constants;
  for (let row = 0; row < rows; row++) {
    const parameter = parameterOf(buffers.parameters, row, PER_ROW, params.parameter_features);
    const diagonal = (i: number) => (PER_ROW ? Math.tanh(parameter(i)) : parameter(i));
    const base = tiled(units, row);
    let total = 0;
    for (let i = units - 1; i >= 0; i--) {
      let [fromHidden, beta] = [0, parameter(units * units + units + i)];
      for (let j = i + 1; j < units; j++) {
        const at = base + j * TILE;
        fromHidden += parameter(i * units + j) * hidden[at]!;
        beta += parameter(j * units + i) * (UNDO ? moved[at]! : from[at]!);
      }
      const at = base + i * TILE;
      const [r, rTilde] = [diagonal(i * units + i), diagonal(units * units + i)];
      const c = r * rTilde;
      const value = from[at]!;
      const v = UNDO ? solveTanh(c, 1 + c, rTilde * (value - fromHidden) + beta) : rTilde * value + beta;
      const t = Math.tanh(v);
      const delta = (fromHidden + r * t) * (UNDO ? -1 : 1);
      hidden[at] = t;
      moved[at] = value + delta;
      if (HAS_CHANGE) change[at] = delta;
      const slope = tanhSlope(v);
      total += logOnePlus(c * slope, t * t + slope * (1 + c));
    }
    if (HAS_LOG_DET) log_det[row] = log_det[row]! + (UNDO ? -total : total);
  }
});
