import { packSupport } from '../../src/flows/bijectors/bounded.js';
import { boundedBackward, temperature } from '../../src/kernels/bounded-backward.js';
import { insideSupport, supports, tiledFrom } from './bounded.js';
import { defineCases, ROWS, table, tiledNormals, ULP, unread } from './case.js';

const backward = (features: number, rows: number, undo: boolean, { y = true, logDet = true, eps = 0 } = {}) => ({
  name: `${features} features, ${rows} rows${undo ? ', undone' : ''}${y ? '' : ', log-det alone'}${logDet ? '' : ', value alone'}${eps ? `, eps ${eps}` : ''}`,
  rows,
  params: { features, eps },
  constants: { UNDO: undo, HAS_Y: y, HAS_LOG_DET: logDet },
  buffers: {
    source: undo ? tiledFrom(features, (f, _, u) => insideSupport(supports(features)[f]!, u)) : tiledNormals(features),
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

const normals = (length: number) => table((random) => random.normals(length));

const gradient = (features: number, rows: number, undo: boolean, { y = true, logDet = true } = {}) => ({
  name: `${features} features, ${rows} rows${undo ? ', undone' : ''}${y ? '' : ', log-det alone'}${logDet ? '' : ', value alone'}`,
  rows,
  params: { features, eps: 0 },
  constants: { UNDO: undo, HAS_Y: y, HAS_LOG_DET: logDet },
  buffers: {
    line: tiledNormals(features),
    table: table(() => packSupport(supports(features))),
    d_y: y ? tiledNormals(features) : unread,
    d_log_terms: logDet ? tiledNormals(features) : unread,
    d_table: normals(6 * features),
  },
  tolerance: { bound: 1e-4 },
});

export const boundedGradientCases = defineCases(temperature.gradient, [
  ...ROWS.flatMap((rows) => [gradient(8, rows, false), gradient(8, rows, true)]),
  ...[1, 2, 63].map((features) => gradient(features, 257, false)),
  ...[false, true].flatMap((undo) => [gradient(8, 257, undo, { y: false }), gradient(8, 257, undo, { logDet: false })]),
]);

const ofTable = (features: number) => ({ name: `${features} features`, rows: 1, params: { features, eps: 0 } });
/** As packed, but k in the place of its logarithm. */
const rawSupport = (features: number) =>
  table(() => {
    const packed = packSupport(supports(features));
    return packed.map((value, at) => (at < 5 * features ? value : packed[at - 2 * features]!));
  });

export const supportTableCases = defineCases(
  temperature.table,
  [1, 8, 63].map((features) => ({
    ...ofTable(features),
    buffers: { raw: rawSupport(features), made: normals(6 * features) },
    tolerance: { bound: 2 * ULP },
  })),
);

export const supportTableBackwardCases = defineCases(
  temperature.tableBackward,
  [1, 8, 63].map((features) => ({
    ...ofTable(features),
    buffers: { d_made: normals(6 * features), d_raw: normals(6 * features) },
    tolerance: { bound: ULP },
  })),
);
