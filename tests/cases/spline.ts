import { type SplineSettings, splineConstants, splineParameters } from '../../src/flows/transformers/spline.js';
import { PASSES } from '../../src/kernels/affine.js';
import { spline } from '../../src/kernels/spline.js';
import { defineCases, ROWS, table, tiledNormals } from './case.js';

const box = [-3, 3, -3, 3] as const;
const sizes = { minWidth: 1e-3, minHeight: 1e-3 };
/** Every parameterisation that a description can name. */
export const SPLINES: Readonly<Record<string, SplineSettings>> = {
  'rational-quadratic, linear tails': { spline: 'rational-quadratic', tails: 'linear', bins: 8, box, ...sizes, minDerivative: 1e-3 },
  'rational-quadratic, divided': { spline: 'rational-quadratic', tails: 'linear', bins: 5, box, ...sizes, minDerivative: 1e-3, divisor: 8 },
  'rational-quadratic, one bin': { spline: 'rational-quadratic', tails: 'linear', bins: 1, box, ...sizes, minDerivative: 1e-3 },
  'rational-quadratic, soft bounds': {
    spline: 'rational-quadratic',
    tails: 'linear',
    bins: 8,
    box: [-5, 5, -5, 5],
    softclip: Math.log(1000),
  },
  'rational-quadratic, circular': {
    spline: 'rational-quadratic',
    tails: 'circular',
    bins: 6,
    box,
    edges: 'shared',
    ...sizes,
    minDerivative: 1e-3,
  },
  'rational-quadratic, circular, shifted': {
    spline: 'rational-quadratic',
    tails: 'circular',
    bins: 6,
    box,
    shift: 3,
    softclip: Math.log(1000),
  },
  'rational-quadratic, box': {
    spline: 'rational-quadratic',
    tails: 'none',
    bins: 6,
    box: [-3, 4, 0, 1],
    edges: 'free',
    ...sizes,
    minDerivative: 1e-3,
  },
  'linear, linear tails': { spline: 'linear', tails: 'linear', bins: 8, box: [-4, 4, -4, 4] }, // knots that float32 holds exactly
  'linear, box': { spline: 'linear', tails: 'none', bins: 4, box: [-4, 4, -1, 1] },
  'quadratic, linear tails': { spline: 'quadratic', tails: 'linear', bins: 7, box, ...sizes, divisor: 2 },
  'quadratic, two bins': { spline: 'quadratic', tails: 'linear', bins: 2, box, ...sizes },
  'quadratic, box': { spline: 'quadratic', tails: 'none', bins: 7, box: [-3, 4, 0, 1], edges: 'free', ...sizes },
  'cubic, linear tails': { spline: 'cubic', tails: 'linear', bins: 7, box, ...sizes, divisor: 2 },
  'cubic, one bin': { spline: 'cubic', tails: 'linear', bins: 1, box, ...sizes },
  'cubic, box': { spline: 'cubic', tails: 'none', bins: 7, box: [-3, 4, 0, 1], ...sizes },
  'identity, circular': { spline: 'identity', tails: 'circular', bins: 1, box },
};

/** Deviation of the parameters: the narrowest bins are then about 1 / 50 of the box. */
const SPREAD = 0.5;

const FIRST = Object.keys(SPLINES)[0]!;

/** Every third feature passes; the slots of the others are in random order. */
const transform = (name: string, undo: boolean, options: { features?: number; rows?: number; logDet?: boolean; shared?: boolean } = {}) => {
  const { features = 5, rows = 257, logDet = true, shared = false } = options;
  const settings = SPLINES[name]!;
  const slots = features - Math.floor(features / 3);
  const parameters = splineParameters(settings) * slots;
  const latent = settings.box[3] / 1.5;
  return {
    name: [
      name,
      `${features} features, ${rows} rows`,
      ...(undo ? ['undone'] : []),
      ...(shared ? ['shared'] : []),
      ...(logDet ? [] : ['no log-det']),
    ].join(', '),
    rows,
    params: { features, slots, parameter_features: Math.max(1, parameters) },
    constants: { ...splineConstants(settings, !undo), HAS_LOG_DET: logDet, SHARED: shared },
    buffers: {
      x: tiledNormals(features, undo ? latent : 2),
      parameters: shared
        ? table((random) =>
            random.normals(parameters, SPREAD).reduce((all, v, i) => all.fill(v, 4 * i, 4 * i + 4), new Float32Array(4 * parameters)),
          )
        : tiledNormals(Math.max(1, parameters), SPREAD),
      slot: table((random) => {
        const order = random.permutation(slots);
        return Uint32Array.from({ length: features }, (_, f) => (f % 3 === 2 ? PASSES : order.pop()!));
      }),
      y: tiledNormals(features),
      log_terms: tiledNormals(slots),
    },
    // A knot is known to about a unit in the last place of the box's end: undone, that counts over the slope, and in the log-slope, which turns
    // within a bin, over the bin's width.
    tolerance: { bound: 1e-3, bounds: { y: undo ? 3e-4 : 1e-5 } },
  };
};

/** One of each kind of spline. */
const KINDS = ['rational-quadratic, linear tails', 'linear, box', 'quadratic, box', 'cubic, linear tails'];

export const splineCases = defineCases(spline, [
  ...ROWS.map((rows) => transform(FIRST, false, { rows })),
  ...[1, 2, 63].map((features) => transform(FIRST, true, { features })),
  ...Object.keys(SPLINES).flatMap((name) => [false, true].map((undo) => transform(name, undo))),
  ...KINDS.flatMap((name) => [false, true].map((undo) => transform(name, undo, { logDet: false }))),
  transform(FIRST, false, { shared: true }),
]);
