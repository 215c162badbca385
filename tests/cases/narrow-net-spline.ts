import { splineConstants, splineParameters } from '../../src/flows/transformers/spline.js';
import { narrowNetSpline } from '../../src/kernels/narrow-net-spline.js';
import { type NetShape, narrowNetCall } from '../support/narrow-net.js';
import { defineCases, ROWS } from './case.js';
import { SPLINES } from './spline.js';

/** Parameters as spread as in spline.ts, where the spline alone has its cases. */
const net = (shape: NetShape, name = Object.keys(SPLINES)[0]!, forward = true) => {
  const settings = SPLINES[name]!;
  const call = narrowNetCall(splineParameters(settings), { ...shape, spread: 0.3 });
  return {
    ...call,
    name: `${call.name}, ${name}${forward ? '' : ', inverse'}`,
    constants: { ...call.constants, ...splineConstants(settings, forward) },
    tolerance: { bound: 5e-4 },
  };
};

export const narrowNetSplineCases = defineCases(narrowNetSpline, [
  ...ROWS.map((rows) => net({ inputs: 2, hidden: [20, 20], features: 2, rows })),
  ...ROWS.map((rows) => net({ inputs: 5, hidden: [30], features: 5, rows }, 'rational-quadratic, soft bounds')),
  net({ inputs: 1, hidden: [], features: 1 }),
  net({ inputs: 5, hidden: [64], features: 2, adds: 0 }, undefined, false),
  net({ inputs: 5, hidden: [64], features: 2, logDet: false }, undefined, false),
  net({ inputs: 7, hidden: [40, 40], features: 7, masked: true }, 'quadratic, linear tails'),
]);
