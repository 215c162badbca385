// What loads when first asked for besides reverse mode and variants of kernels: solves with error control, checks, and what derives a description
// from a library's class. One chunk, since together they compress better than apart, and few pages ask for any.

export { runAdaptively } from './flows/continuous/adaptive.js';
export { compareLogDets } from './inspection/numerical-jacobian.js';
export { roundTrip } from './inspection/round-trip.js';
export { deriveDescription } from './interop/derive.js';
