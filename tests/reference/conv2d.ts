import * as source from '../../src/kernels/generated/conv2d.js';
import { TILE, tiled } from './layout.js';
import { defineTwin } from './twin.js';

const RUN = 24;

const keeps = (setting: number, rowAndColumn: number): boolean => setting === 0 || rowAndColumn % 2 === setting - 1;

export const conv2d = defineTwin(source.conv2d, ({ buffers: { x, weight, bias, addend, y }, params, constants, rows }) => {
  const { inputs, outputs, height, width, kernel } = params;
  const reach = (kernel - 1) / 2;
  const step = params.x_channel * TILE;
  const padded = Math.ceil(outputs / 8) * 8;
  for (let row = 0; row < rows; row++) {
    const from = tiled(params.x_features, row) + params.x_at * TILE;
    const to = tiled(params.y_features, row) + params.y_at * TILE;
    for (let p = 0; p < height * width; p++) {
      const [r, c] = [Math.floor(p / width), p % width];
      if (!keeps(params.writes, r + c)) continue;
      const place = params.writes === 0 ? p : Math.floor(p / 2);
      for (let o = 0; o < outputs; o++) {
        let sum = 0;
        for (let ky = 0; ky < kernel; ky++) {
          const tapRow = r + ky - reach;
          if (tapRow < 0 || tapRow >= height) continue;
          for (let kx = 0; kx < kernel; kx++) {
            const tapColumn = c + kx - reach;
            if (tapColumn < 0 || tapColumn >= width || !keeps(params.reads, tapRow + tapColumn)) continue;
            const at = from + (tapRow * width + tapColumn) * params.x_pixel * TILE;
            const w = ((Math.floor(o / 8) * kernel + ky) * kernel + kx) * inputs * 8 + (o % 8);
            for (let start = 0; start < inputs; start += RUN) {
              let part = 0;
              for (let k = start; k < Math.min(start + RUN, inputs); k++)
                part += weight[w + k * 8]! * (x[at + k * step]! + (constants.CENTER ? bias[padded + k]! : 0));
              sum += part;
            }
          }
        }
        let v = sum + bias[o]!;
        if (constants.ADDEND) v += addend[tiled(outputs, row) + o * TILE]!;
        const below = params.slope === 0 ? 0 : params.slope * v;
        y[to + (o * params.y_channel + place * params.y_pixel) * TILE] = v < 0 ? below : v;
      }
    }
  }
});
