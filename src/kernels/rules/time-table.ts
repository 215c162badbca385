import { defineRule, type OriginRule } from '../../runtime/derivative.js';
import { timeTable, timeTableBackward } from '../time-table-backward.js';

/** The tables that a vector field reads, one an evaluation. */
export const timeTableOrigin: OriginRule = {
  kind: 'time table',
  record: (r, { times, weights, gated }, { evaluations, terms, width }) => {
    const params = { evaluations: Number(evaluations), terms: Number(terms), width: Number(width) };
    const table = r.table(params.evaluations * params.width, 'times');
    r.run(timeTable, { buffers: { times: times!, weights: weights!, gated: gated!, table }, params });
    return { table };
  },
};

export const timeTableRule = /*#__PURE__*/ defineRule(timeTable, (r, { buffers: { times, weights, gated }, params }, gradients) => {
  const [d_table, d_weights] = [gradients.ofTable('table'), gradients.intoTable('weights')];
  if (d_table && d_weights) r.run(timeTableBackward, { buffers: { times, weights, gated, d_table, d_weights }, params });
});
