import { defineRule, type Gradients, type OriginRule } from '../../runtime/derivative.js';
import type { Recorder } from '../../runtime/recorder.js';
import { NONE, type Tensor, type TiledTensor } from '../../runtime/tensor.js';
import { type bounded, SUPPORT_NUMBER } from '../bounded.js';
import { boundedBackward, temperature } from '../bounded-backward.js';
import type { logit } from '../logit.js';
import { accumulate } from './accumulate.js';
import { lengthOf } from './tables.js';

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
      buffers: { source: x, table, d_y: dY ?? NONE, d_log_terms: dLogTerms ?? NONE, d_x },
      params,
      constants: { UNDO, HAS_Y: dY !== null, HAS_LOG_DET: dLogTerms !== null },
    }),
  );
}

export const boundedRule = /*#__PURE__*/ defineRule<(typeof bounded)['source']>(
  'bounded.bounded',
  (r, { buffers: { x, y, table }, params, constants: { UNDO = false } }, gradients) => {
    const d_table = gradients.intoTable('table');
    const [dY, dLogTerms] = [gradients.of('y'), gradients.of('log_terms')];
    if (d_table)
      r.run(temperature.gradient, {
        buffers: { line: (UNDO ? y : x) as TiledTensor, table, d_y: dY ?? NONE, d_log_terms: dLogTerms ?? NONE, d_table },
        params,
        constants: { UNDO, HAS_Y: dY !== null, HAS_LOG_DET: dLogTerms !== null },
      });
    recordBounded(r, gradients, x, table, params, UNDO);
  },
);

/** Supports whose intervals have a learned temperature. */
export const supportOrigin: OriginRule = {
  kind: 'support',
  record: (r, { raw }) => {
    const length = lengthOf(raw!);
    const made = r.table(length, 'support');
    r.run(temperature.table, { buffers: { raw: raw!, made }, params: { features: length / 6, eps: 0 } });
    return { made };
  },
};

export const supportTableRule = /*#__PURE__*/ defineRule(temperature.table, (r, { params }, gradients) => {
  const [d_made, d_raw] = [gradients.ofTable('made'), gradients.intoTable('raw')];
  if (d_made && d_raw) r.run(temperature.tableBackward, { buffers: { d_made, d_raw }, params });
});

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
