import { splat } from '../../src/flows/bijectors/row-parameters.js';
import { sylvester } from '../../src/kernels/sylvester.js';
import type { Random } from '../support/random.js';
import { defineCases, ROWS, table, tiledNormals } from './case.js';
import { perRow } from './planar.js';

/** Triangles, diagonals as a network gives them or already in (−1, 1), and biases. */
export function triangles(random: Random, units: number, raw: boolean): Float32Array<ArrayBuffer> {
  const values = random.normals(units * units + 2 * units, 1 / Math.sqrt(units));
  const diagonal = (at: number) => {
    const d = random.normal();
    values[at] = raw ? d : Math.tanh(d);
  };
  for (let i = 0; i < units; i++) {
    diagonal(i * units + i);
    diagonal(units * units + i);
  }
  return values;
}

interface Shape {
  readonly units: number;
  readonly rows?: number;
  readonly undo?: boolean;
  readonly perRow?: boolean;
  readonly change?: boolean;
  readonly logDet?: boolean;
}

const units = ({ units: count, rows = 257, undo = false, perRow: each = false, change = false, logDet = true }: Shape) => ({
  name: [
    `${count} units, ${rows} rows`,
    ...(undo ? ['undone'] : []),
    ...(each ? ['parameters a row'] : []),
    ...(change ? ['change'] : []),
    ...(logDet ? [] : ['no log-det']),
  ].join(', '),
  rows,
  params: { units: count, parameter_features: each ? count * count + 2 * count : 1 },
  constants: { PER_ROW: each, UNDO: undo, HAS_CHANGE: change, HAS_LOG_DET: logDet },
  buffers: {
    source: tiledNormals(count),
    parameters: each
      ? perRow(count * count + 2 * count, (random) => triangles(random, count, true))
      : table((random) => splat(triangles(random, count, false))),
    moved: tiledNormals(count),
    change: tiledNormals(count),
    hidden: tiledNormals(count),
    log_det: tiledNormals(1),
  },
  tolerance: { bound: 1e-5 },
});

export const sylvesterCases = defineCases(sylvester, [
  ...ROWS.map((rows) => units({ units: 5, rows, undo: true })),
  ...[1, 2, 19].flatMap((count) => [units({ units: count }), units({ units: count, undo: true })]),
  ...[false, true].flatMap((undo) => [
    units({ units: 5, rows: 1000, undo, change: true }),
    units({ units: 5, undo, perRow: true }),
    units({ units: 5, undo, logDet: false }),
  ]),
]);
