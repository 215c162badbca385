import { PROBE_NUMBER } from '../../src/kernels/divergence.js';
import * as source from '../../src/kernels/generated/residual-series.js';
import { TILE, tiled } from './layout.js';
import { normalsFromBits, philox4x32, type Words } from './math.js';
import { RowNet } from './row-net.js';
import { keyOf } from './standard-normal.js';
import { defineTwin } from './twin.js';

export const residualSeries = defineTwin(source.residualSeries, ({ buffers, params, constants, rows, firstRow, seed }) => {
  const { dim, stream } = params;
  const coefficients = new Float32Array(buffers.series.buffer, buffers.series.byteOffset, buffers.series.length);
  const wordsAt = (row: number, counter: number, probe: number): Words =>
    philox4x32([(firstRow + row) >>> 0, counter, 3, stream * 65536 + probe], keyOf(seed));
  for (let row = 0; row < rows; row++) {
    const sideAt = tiled(params.side_features, row);
    const net = new RowNet(buffers, params.layers, constants.ACTIVATION, constants.SIDE ? (o) => buffers.side[sideAt + o * TILE]! : null);
    net.values(Array.from({ length: dim }, (_, f) => buffers.source[tiled(dim, row) + f * TILE]!));
    let total = 0;
    for (let probe = 0; probe < params.probes; probe++) {
      const v = Array.from({ length: dim }, (_, f) => {
        if (constants.PROBE === PROBE_NUMBER.unit) return f === probe ? 1 : 0;
        const words = wordsAt(row, Math.floor(f / 4), probe);
        return constants.PROBE === PROBE_NUMBER.gaussian ? normalsFromBits(words)[f % 4]! : words[f % 4]! >= 2 ** 31 ? -1 : 1;
      });
      const [chance] = wordsAt(row, 0xffffffff, probe);
      let w = v;
      for (let k = 0; k < params.terms && chance <= buffers.series[2 * k + 1]!; k++) {
        w = net.tangents(w);
        total += coefficients[2 * k]! * v.reduce((sum, value, f) => sum + value * w[f]!, 0);
      }
    }
    buffers.log_det[row]! += params.sign * total;
  }
});
