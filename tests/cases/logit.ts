import { logit } from '../../src/kernels/logit.js';
import { defineCases, ROWS, tiledNormals } from './case.js';

/** Uniforms a little beyond the unit interval, so that some are outside; an edge of each kind first. */
const around = (features: number) => {
  const normals = tiledNormals(features);
  return {
    layout: normals.layout,
    make: (random: Parameters<typeof normals.make>[0], rows: number) => {
      const data = normals.make(random, rows).map((value) => (Number.isNaN(value) ? value : -0.05 + 1.1 * random.uniform()));
      data.set([0, 1, 2 ** -30, 1 - 2 ** -24].slice(0, Math.min(4, rows)));
      return data as Float32Array<ArrayBuffer>;
    },
  };
};

const map = (features: number, rows: number, undo: boolean, alpha: number, scale = 1, logDet = true) => ({
  name: `D ${features}, ${rows} rows, alpha ${alpha}${undo ? `, undo, z ~ ${scale}` : ''}${logDet ? '' : ', no log-det'}`,
  rows,
  params: { features, alpha, log_range: Math.log1p(-2 * alpha) },
  constants: { UNDO: undo, HAS_LOG_DET: logDet },
  buffers: {
    x: undo ? tiledNormals(features, scale) : around(features),
    y: tiledNormals(features),
    log_terms: tiledNormals(logDet ? features : 1),
  },
  tolerance: { bound: 4e-7 },
});

export const logitCases = defineCases(logit, [
  ...ROWS.flatMap((rows) => [map(5, rows, false, 0), map(5, rows, true, 0)]),
  ...[1, 2, 63].flatMap((features) => [map(features, 257, false, 0), map(features, 257, true, 0)]),
  map(2, 257, true, 0.05),
  map(2, 257, true, 0, 30),
  map(2, 257, true, 0, 1e4),
  map(2, 257, false, 0, 1, false),
  map(2, 257, true, 0, 1, false),
]);
