import { packSupport } from '../../src/flows/bijectors/bounded.js';
import { boundedBackward } from '../../src/kernels/bounded-backward.js';
import { insideSupport, supports, tiledFrom } from './bounded.js';
import { defineCases, ROWS, table, tiledNormals, unread } from './case.js';

const backward = (features: number, rows: number, undo: boolean, { y = true, logDet = true, eps = 0 } = {}) => ({
  name: `${features} features, ${rows} rows${undo ? ', undone' : ''}${y ? '' : ', log-det alone'}${logDet ? '' : ', value alone'}${eps ? `, eps ${eps}` : ''}`,
  rows,
  params: { features, eps },
  constants: { UNDO: undo, HAS_Y: y, HAS_LOG_DET: logDet },
  buffers: {
    x: undo ? tiledFrom(features, (f, _, u) => insideSupport(supports(features)[f]!, u)) : tiledNormals(features),
    table: table(() => packSupport(supports(features))),
    d_y: y ? tiledNormals(features) : unread,
    d_log_terms: logDet ? tiledNormals(features) : unread,
    d_x: tiledNormals(features),
  },
  // Next to an end its distance has lost digits, and the gradient is over it.
  tolerance: { bound: undo ? 1e-4 : 2e-6 },
});

export const boundedBackwardCases = defineCases(boundedBackward, [
  ...ROWS.flatMap((rows) => [backward(8, rows, false), backward(8, rows, true)]),
  ...[1, 2, 63].flatMap((features) => [backward(features, 257, false), backward(features, 257, true)]),
  ...[false, true].flatMap((undo) => [backward(8, 257, undo, { y: false }), backward(8, 257, undo, { logDet: false })]),
  backward(8, 257, true, { eps: 0.25 }),
]);
