import { defineRule, type OriginRule } from '../../runtime/derivative.js';
import type { diagonalMixture } from '../diagonal-mixture.js';
import { mixtureBackward } from '../diagonal-mixture-backward.js';
import { recordColumnSums } from '../linear-backward.js';
import { accumulateOrDrop, addProduct } from './accumulate.js';
import { lengthOf } from './tables.js';

export const mixtureDensityRule = /*#__PURE__*/ defineRule<(typeof diagonalMixture.logDensity)['source']>(
  'diagonal-mixture.log_density',
  (r, { buffers: { source, table: made }, params: { dim, components, sign } }, gradients) => {
    const d_log_prob = gradients.of('log_prob');
    if (!d_log_prob) return;
    const dLogDet = gradients.into('log_det');
    if (dLogDet) addProduct(r, dLogDet, d_log_prob, null, sign);
    const [dSource, d_table] = [gradients.into('source'), gradients.intoTable('table')];
    if (!dSource && !d_table) return;
    const params = { dim, components };
    const shares = r.tiled(components, 'shares');
    accumulateOrDrop(r, dSource, dim, (d_source) =>
      r.run(mixtureBackward.shares, { buffers: { source, made, d_log_prob, shares, d_source }, params }),
    );
    if (!d_table) return;
    r.run(mixtureBackward.moments, { buffers: { source, made, weighted: shares, d_table }, params });
    recordColumnSums(r, shares, d_table);
  },
);

export const mixtureTableOrigin: OriginRule = {
  kind: 'mixture',
  record: (r, { logits, means, log_scales }) => {
    const components = lengthOf(logits!);
    const length = lengthOf(means!);
    const table = r.table(components + 2 * length, 'mixture');
    r.run(mixtureBackward.table, {
      buffers: { logits: logits!, means: means!, log_scales: log_scales!, table },
      params: { dim: length / components, components },
    });
    return { table };
  },
};

export const mixtureTableRule = /*#__PURE__*/ defineRule(
  mixtureBackward.table,
  (r, { buffers: { logits, means, log_scales, table: made }, params }, gradients) => {
    const d_made = gradients.ofTable('table');
    if (!d_made) return;
    const into = (name: string, of: typeof means) => gradients.intoTable(name) ?? r.table(lengthOf(of), 'unused');
    r.run(mixtureBackward.tableBackward, {
      buffers: {
        logits,
        made,
        d_made,
        d_logits: into('logits', logits),
        d_means: into('means', means),
        d_log_scales: into('log_scales', log_scales),
      },
      params,
    });
  },
);
