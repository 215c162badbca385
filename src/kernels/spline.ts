import * as source from './generated/spline.js';
import { featureKernel } from './geometry.js';

/** Numbers of shaders/lib/spline.wgsl: the kind of spline, what lies outside its box, and its derivatives at the ends of the box. */
export const SPLINE_NUMBER = { 'rational-quadratic': 0, linear: 1, quadratic: 2, cubic: 3, identity: 4 } as const;
export const TAILS_NUMBER = { none: 0, linear: 1, circular: 2 } as const;
export const EDGES_NUMBER = { one: 0, shared: 1, free: 2 } as const;

export const spline = /*#__PURE__*/ featureKernel(source.spline);
