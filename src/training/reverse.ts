// Reverse mode, loaded when it is first asked for: a page that trains nothing loads no derivative rule.

export { gradientsOf } from './gradients.js';
export { initialise } from './initialise.js';
export { recordScore } from './record-score.js';
export { runFit } from './run-fit.js';
export { runTarget } from './run-target.js';
export { Variational } from './variational.js';
