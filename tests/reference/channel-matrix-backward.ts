import * as source from '../../src/kernels/generated/channel-matrix-backward.js';
import { defineTwin } from './twin.js';

const place = (i: number, j: number, n: number): number => (Math.floor(i / 8) * n + j) * 8 + (i % 8);

/** The factors of W = A R diag(e^-s), R with its signs and exponentials. */
function factorsOf(entries: Float64Array, n: number) {
  const square = n * n;
  const scale = Array.from({ length: n }, (_, j) => Math.exp(-entries[2 * square + j]!));
  const left = (i: number, k: number) => entries[i * n + k]!;
  const right = (k: number, j: number) => {
    const r = entries[square + k * n + j]!;
    return k > j ? 0 : k < j ? r : entries[2 * square + n + j]! * Math.exp(r);
  };
  return { left, right, scale };
}

export const channelMatrix = defineTwin(source.channelMatrix, ({ buffers: { entries, start, weight, log_det }, params }) => {
  const { channels: n, pixels } = params;
  const { left, right, scale } = factorsOf(entries, n);
  weight.fill(0, 0, Math.ceil(n / 8) * 8 * n);
  log_det[0] = start[0]!;
  for (let j = 0; j < n; j++) {
    log_det[0] += pixels * (entries[n * n + j * n + j]! - entries[2 * n * n + j]!);
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += left(i, k) * right(k, j) * scale[j]!;
      weight[place(i, j, n)] = sum;
    }
  }
});

/** From the entries alone, where the shader takes the product that was made. */
export const channelMatrixBackward = defineTwin(source.channelMatrixBackward, ({ buffers, params }) => {
  const { entries, d_weight, d_log_det, d_entries, d_start } = buffers;
  const { channels: n, pixels } = params;
  const { left, right, scale } = factorsOf(entries, n);
  const square = n * n;
  for (let j = 0; j < n; j++) {
    let along = 0;
    for (let k = 0; k <= j; k++) {
      let passed = 0;
      for (let i = 0; i < n; i++) {
        const g = d_weight[place(i, j, n)]! * scale[j]!;
        d_entries[i * n + k]! += g * right(k, j);
        passed += g * left(i, k);
      }
      along += passed * right(k, j);
      d_entries[square + k * n + j]! += k < j ? passed : passed * right(j, j) + pixels * d_log_det[0]!;
    }
    d_entries[2 * square + j]! -= along + pixels * d_log_det[0]!;
  }
  d_start[0]! += d_log_det[0]!;
});
