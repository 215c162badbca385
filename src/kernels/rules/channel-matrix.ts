import { defineRule, type OriginRule } from '../../runtime/derivative.js';
import { ceilDiv } from '../../runtime/kernel.js';
import { channelMatrix, channelMatrixBackward } from '../channel-matrix-backward.js';
import { STRIP } from '../masked-linear.js';
import { determinantOrigin } from './determinant.js';

/** The packed weights of a 1×1 convolution. @param matrix left out where the first factor of `entries` has determinant ±1. */
export const channelMatrixOrigin: OriginRule = {
  kind: 'channel matrix',
  record: (r, { entries, matrix }, settings) => {
    const [channels, pixels] = [Number(settings.channels), Number(settings.pixels)];
    const start = matrix
      ? determinantOrigin.record(r, { matrix }, { factor: pixels }).log_det!
      : r.constant(new Float32Array(1), 'no log-det');
    const tables = { weight: r.table(ceilDiv(channels, STRIP) * channels * STRIP, 'matrix'), log_det: r.table(1, 'log-det') };
    r.run(channelMatrix, { buffers: { entries: entries!, start, ...tables }, params: { channels, pixels } });
    return tables;
  },
};

export const channelMatrixRule = /*#__PURE__*/ defineRule(channelMatrix, (r, { buffers: { entries, weight: made }, params }, gradients) => {
  const [d_weight, d_log_det, d_entries] = [gradients.ofTable('weight'), gradients.ofTable('log_det'), gradients.intoTable('entries')];
  if (!d_entries) return;
  const zeros = (length: number) => r.constant(new Float32Array(length), 'zeros');
  r.run(channelMatrixBackward, {
    buffers: {
      entries,
      made,
      d_weight: d_weight ?? zeros(ceilDiv(params.channels, STRIP) * params.channels * STRIP),
      d_log_det: d_log_det ?? zeros(1),
      d_entries,
      d_start: gradients.intoTable('start') ?? r.table(1, 'unused'),
    },
    params,
  });
});
