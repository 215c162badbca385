import * as source from '../../src/kernels/generated/residual-solve.js';
import { TILE, tiled } from './layout.js';
import { RowNet } from './row-net.js';
import { defineTwin } from './twin.js';

/** A unit in the last place of float64, squared: the twin goes on to its own rounding. */
const ULP2 = 2 ** -104;

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

export interface ContractionParams {
  readonly memory: number;
  readonly limit: number;
  readonly patience: number;
  readonly contraction: number;
  readonly tolerance: number;
}

/** Twin of shaders/lib/contraction.wgsl: x with x + g(x) = z, of one row. */
export function contract(
  z: readonly number[],
  gOf: (x: readonly number[]) => readonly number[],
  params: ContractionParams,
): readonly number[] {
  const { memory, limit, patience, contraction, tolerance } = params;
  let [x, point, r, trial] = [z, z, z, z];
  let [best, held, mark, misses] = [0, 0, 0, 0];
  let plain = true;
  let steps: number[][] = []; // the last one is being tried
  for (let evaluation = 0; evaluation < limit; evaluation++) {
    const starts = evaluation === 0;
    const g = gOf(trial);
    const residual = trial.map((value, f) => value - z[f]! + g[f]!);
    const [size, reach] = [dot(residual, residual), dot(trial, trial)];
    const sound = Number.isFinite(size);
    if (starts && !sound) return z.map(() => Number.NaN);
    const gains: boolean = sound && (starts || size <= contraction * mark);
    if (gains) mark = size;
    misses = gains ? 0 : misses + 1;
    const improves = sound && (starts || size < best);
    if (improves) [x, best] = [trial, size];
    const noise = ULP2 * (reach + dot(z, z));
    if (improves && size <= Math.max(noise, tolerance ** 2 * Math.max(1, reach))) break;
    if (misses >= (best <= 16 * noise ? Math.min(patience, 8) : patience) && memory > 1) break;
    const taken: boolean = sound && (starts || plain || size <= contraction * held);
    if (taken) [point, r, held] = [trial, residual, size];
    let direction = r.map((value) => -value);
    const learns: boolean = taken && !starts && steps.length < memory;
    if (learns) {
      for (const [j, step] of steps.entries()) {
        const q = dot(step, direction) / dot(step, step);
        direction = direction.map((value, f) => (j + 1 < steps.length ? value + steps[j + 1]![f]! * q : value / (1 - q)));
      }
    } else steps = [];
    steps.push(direction);
    plain = !learns;
    trial = point.map((value, f) => value + direction[f]!);
  }
  return x;
}

export const residualSolve = defineTwin(source.residualSolve, ({ buffers, params, constants, rows }) => {
  const { dim } = params;
  for (let row = 0; row < rows; row++) {
    const sideAt = tiled(params.side_features, row);
    const net = new RowNet(buffers, params.layers, constants.ACTIVATION, constants.SIDE ? (o) => buffers.side[sideAt + o * TILE]! : null);
    const z = Array.from({ length: dim }, (_, f) => buffers.source[tiled(dim, row) + f * TILE]!);
    for (const [f, value] of contract(z, (x) => net.values(x), params).entries()) buffers.x[tiled(dim, row) + f * TILE] = value;
  }
});
