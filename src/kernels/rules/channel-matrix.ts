import { defineRule, type OriginRule } from '../../runtime/derivative.js';
import { ceilDiv } from '../../runtime/kernel.js';
import type { TableTensor } from '../../runtime/tensor.js';
import { channelMatrix, channelMatrixBackward } from '../channel-matrix-backward.js';
import { STRIP } from '../linear-strips.js';
import { recordGather } from '../parameters.js';
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

/** The packed weights of its inverse. They are not differentiated: determinantRule refuses. */
export const channelInverseOrigin: OriginRule = {
  kind: 'channel inverse',
  record: (r, { entries }, { channels }) => {
    const n = Number(channels);
    const { weight } = channelMatrixOrigin.record(r, { entries: entries! }, { channels: n, pixels: 1 });
    const place = (i: number, j: number) => (Math.floor(i / STRIP) * n + j) * STRIP + (i % STRIP);
    const [rowMajor, packed] = [new Uint32Array(n * n), new Uint32Array(ceilDiv(n, STRIP) * n * STRIP)];
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        rowMajor[i * n + j] = 1 + place(i, j);
        packed[place(i, j)] = 1 + i * n + j;
      }
    const copy = (from: TableTensor, places: Uint32Array<ArrayBuffer>) =>
      recordGather(r, from, places, new Float32Array(places.length), 'matrix');
    const { inverse } = determinantOrigin.record(r, { matrix: copy(weight!, rowMajor) }, { factor: 1 });
    return { weight: copy(inverse!, packed) };
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
