import { planarBackward } from '../../src/kernels/planar-backward.js';
import { defineCases, ROWS, tiledNormals, unread } from './case.js';
import { perRow, unitParameters } from './planar.js';

interface Shape {
  readonly features: number;
  readonly rows?: number;
  readonly leaky?: boolean;
  readonly undo?: boolean;
  readonly y?: boolean;
  readonly logDet?: boolean;
}

const backward = ({ features, rows = 257, leaky = false, undo = false, y = true, logDet = true }: Shape) => ({
  name: [
    `${features} features, ${rows} rows, ${leaky ? 'leaky relu' : 'tanh'}`,
    ...(undo ? ['undone'] : []),
    ...(y ? [] : ['log-det alone']),
    ...(logDet ? [] : ['no log-det']),
  ].join(', '),
  rows,
  params: { features, negative_slope: 0.2 },
  constants: { LEAKY: leaky, UNDO: undo, HAS_Y: y, HAS_LOG_DET: logDet },
  buffers: {
    z: tiledNormals(features, 2),
    parameters: perRow(2 * features + 1, (random) => unitParameters(random, features)),
    d_y: y ? tiledNormals(features) : unread,
    d_log_det: logDet ? tiledNormals(1) : unread,
    d_x: tiledNormals(features),
    d_parameters: tiledNormals(2 * features + 1),
  },
  // The inverse magnifies up to 20 times, and 1 / |w|² up to 4 times.
  tolerance: { bound: undo ? 2e-4 : 1e-4 },
});

export const planarBackwardCases = defineCases(planarBackward, [
  ...ROWS.map((rows) => backward({ features: 5, rows, undo: true })),
  ...[1, 2, 63].flatMap((features) => [false, true].map((undo) => backward({ features, undo }))),
  ...[false, true].flatMap((undo) => [
    backward({ features: 5, leaky: true, undo }),
    backward({ features: 5, undo, y: false }),
    backward({ features: 5, undo, logDet: false }),
  ]),
]);
