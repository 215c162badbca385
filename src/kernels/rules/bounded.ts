import { defineRule, type Gradients } from '../../runtime/derivative.js';
import type { Recorder } from '../../runtime/recorder.js';
import { NONE, type Tensor } from '../../runtime/tensor.js';
import { type bounded, SUPPORT_NUMBER } from '../bounded.js';
import { boundedBackward } from '../bounded-backward.js';
import type { logit } from '../logit.js';
import { accumulate } from './accumulate.js';

function recordBounded(
  r: Recorder,
  gradients: Gradients,
  x: Tensor,
  table: Tensor,
  params: { features: number; eps: number },
  UNDO: boolean,
) {
  const [dY, dLogTerms, dX] = [gradients.of('y'), gradients.of('log_terms'), gradients.into('x')];
  if (!dX) return;
  accumulate(r, dX, (d_x) =>
    r.run(boundedBackward, {
      buffers: { x, table, d_y: dY ?? NONE, d_log_terms: dLogTerms ?? NONE, d_x },
      params,
      constants: { UNDO, HAS_Y: dY !== null, HAS_LOG_DET: dLogTerms !== null },
    }),
  );
}

export const boundedRule = /*#__PURE__*/ defineRule<(typeof bounded)['source']>(
  'bounded.bounded',
  (r, { buffers: { x, table }, params, constants: { UNDO = false } }, gradients) => {
    if (table.kind !== 'constant') throw new TypeError(`${r.place}: learned ends have no derivative rule`);
    recordBounded(r, gradients, x, table, params, UNDO);
  },
);

/** The logit undoes a sigmoid onto (−alpha, 1 − alpha) / (1 − 2 alpha). */
export const logitRule = /*#__PURE__*/ defineRule<(typeof logit)['source']>(
  'logit.logit',
  (r, { buffers: { x }, params: { features, alpha }, constants: { UNDO = false } }, gradients) => {
    const range = 1 - 2 * alpha;
    const column = [SUPPORT_NUMBER.interval, -alpha / range, (1 - alpha) / range, 1, 0, 0];
    const table = Float32Array.from({ length: 6 * features }, (_, at) => column[Math.floor(at / features)]!);
    // Nothing moves beyond the unit interval: the density is 0 there.
    recordBounded(r, gradients, x, r.constant(table, 'interval'), { features, eps: UNDO ? 0 : 2 ** -126 }, !UNDO);
  },
);
