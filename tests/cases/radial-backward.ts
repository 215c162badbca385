import { radialBackward } from '../../src/kernels/radial-backward.js';
import { defineCases, ROWS, tiledNormals, unread } from './case.js';
import { perRow } from './planar.js';
import { ballParameters } from './radial.js';

interface Shape {
  readonly features: number;
  readonly rows?: number;
  readonly undo?: boolean;
  readonly softplus?: boolean;
  readonly y?: boolean;
  readonly logDet?: boolean;
}

const backward = ({ features, rows = 257, undo = false, softplus = false, y = true, logDet = true }: Shape) => ({
  name: [
    `${features} features, ${rows} rows`,
    ...(undo ? ['undone'] : []),
    ...(softplus ? ['softplus alpha'] : []),
    ...(y ? [] : ['log-det alone']),
    ...(logDet ? [] : ['no log-det']),
  ].join(', '),
  rows,
  params: { features },
  constants: { ALPHA_SOFTPLUS: softplus, UNDO: undo, HAS_Y: y, HAS_LOG_DET: logDet },
  buffers: {
    z: tiledNormals(features),
    parameters: perRow(features + 2, (random) => ballParameters(random, features)),
    d_y: y ? tiledNormals(features) : unread,
    d_log_det: logDet ? tiledNormals(1) : unread,
    d_x: tiledNormals(features),
    d_parameters: tiledNormals(features + 2),
  },
  tolerance: { bound: 1e-5 },
});

export const radialBackwardCases = defineCases(radialBackward, [
  ...ROWS.map((rows) => backward({ features: 5, rows, undo: true })),
  ...[1, 2, 63].flatMap((features) => [false, true].map((undo) => backward({ features, undo }))),
  ...[false, true].flatMap((undo) => [
    backward({ features: 5, undo, softplus: true }),
    backward({ features: 5, undo, y: false }),
    backward({ features: 5, undo, logDet: false }),
  ]),
]);
