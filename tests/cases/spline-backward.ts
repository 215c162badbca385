import { splineConstants, splineParameters } from '../../src/flows/transformers/spline.js';
import { PASSES } from '../../src/kernels/affine.js';
import { splineBackward } from '../../src/kernels/spline-backward.js';
import { defineCases, table, tiledNormals, unread } from './case.js';
import { SPLINES } from './spline.js';

const KINDS = Object.keys(SPLINES).filter((name) => !name.startsWith('identity'));
const SPREAD = 0.5;

interface Options {
  readonly undo?: boolean;
  readonly features?: number;
  readonly rows?: number;
  readonly y?: boolean;
  readonly logDet?: boolean;
  readonly shared?: boolean;
}

const backward = (name: string, options: Options = {}) => {
  const { undo = false, features = 3, rows = 67, y = true, logDet = true, shared = false } = options;
  const settings = SPLINES[name]!;
  const slots = features - Math.floor(features / 3);
  const parameters = splineParameters(settings) * slots;
  const words = [undo && 'undone', !y && 'log-det alone', !logDet && 'value alone', shared && 'shared'].filter(Boolean);
  return {
    name: [name, `${features} features, ${rows} rows`, ...words].join(', '),
    rows,
    params: { features, slots, parameter_features: parameters, gradient_features: parameters },
    constants: { ...splineConstants(settings, !undo), HAS_Y: y, HAS_LOG_DET: logDet, SHARED: shared },
    buffers: {
      x: tiledNormals(features, 1.5),
      parameters: shared
        ? table((random) =>
            random.normals(parameters, SPREAD).reduce((all, v, i) => all.fill(v, 4 * i, 4 * i + 4), new Float32Array(4 * parameters)),
          )
        : tiledNormals(parameters, SPREAD),
      slot: table((random) => {
        const order = random.permutation(slots);
        return Uint32Array.from({ length: features }, (_, f) => (f % 3 === 2 ? PASSES : order.pop()!));
      }),
      d_value: y ? tiledNormals(features) : unread,
      d_log_terms: logDet ? tiledNormals(slots) : unread,
      d_source: tiledNormals(features),
      d_parameters: tiledNormals(parameters),
    },
    // The log-slope turns within a bin, and a knot is known to a unit in the last place of the box's end.
    tolerance: { bound: 1e-3 },
  };
};

export const splineBackwardCases = defineCases(splineBackward, [
  ...KINDS.flatMap((name) => [false, true].map((undo) => backward(name, { undo }))),
  ...[1, 3, 257].map((rows) => backward(KINDS[0]!, { rows })),
  ...[1, 2, 20].map((features) => backward(KINDS[0]!, { features, rows: 33 })),
  backward(KINDS[0]!, { y: false }),
  backward(KINDS[0]!, { logDet: false }),
  backward(KINDS[0]!, { shared: true }),
]);
