import * as source from '../../src/kernels/generated/residual-solve.js';
import { TILE, tiled } from './layout.js';
import { RowNet } from './row-net.js';
import { defineTwin } from './twin.js';

/** Half a unit in the last place of float64, squared: the twin goes on to its own rounding. */
const HALF_ULP2 = 2 ** -106;

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

export const residualSolve = defineTwin(source.residualSolve, ({ buffers, params, constants, rows }) => {
  const { dim, memory, limit, contraction, tolerance } = params;
  for (let row = 0; row < rows; row++) {
    const sideAt = tiled(params.side_features, row);
    const net = new RowNet(buffers, params.layers, constants.ACTIVATION, constants.SIDE ? (o) => buffers.side[sideAt + o * TILE]! : null);
    const z = Array.from({ length: dim }, (_, f) => buffers.source[tiled(dim, row) + f * TILE]!);
    let [x, r, trial] = [z, z, z];
    let best = 0;
    let plain = true;
    let steps: number[][] = []; // the last one is being tried
    for (let evaluation = 0; evaluation < limit; evaluation++) {
      const g = net.values(trial);
      const residual = trial.map((value, f) => value - z[f]! + g[f]!);
      const size = dot(residual, residual);
      const reach = dot(trial, trial);
      if (evaluation === 0 && !Number.isFinite(size)) {
        x = z.map(() => Number.NaN);
        break;
      }
      const taken = Number.isFinite(size) && (evaluation === 0 || size <= contraction * best);
      if (!taken && plain) break;
      let direction = r.map((value) => -value);
      if (taken) {
        [x, r, best] = [trial, residual, size];
        if (size <= Math.max(HALF_ULP2 * reach, tolerance ** 2 * Math.max(1, reach))) break;
        direction = r.map((value) => -value);
      }
      const learns = taken && evaluation > 0 && steps.length < memory;
      if (learns) {
        for (const [j, step] of steps.entries()) {
          const q = dot(step, direction) / dot(step, step);
          direction = direction.map((value, f) => (j + 1 < steps.length ? value + steps[j + 1]![f]! * q : value / (1 - q)));
        }
      } else steps = [];
      steps.push(direction);
      plain = !learns;
      trial = x.map((value, f) => value + direction[f]!);
    }
    for (let f = 0; f < dim; f++) buffers.x[tiled(dim, row) + f * TILE] = x[f]!;
  }
});
