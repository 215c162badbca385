// What checks compute, loaded when one is first asked for.

export { compareLogDets } from './numerical-jacobian.js';
export { roundTrip } from './round-trip.js';
