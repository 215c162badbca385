import * as source from '../../src/kernels/generated/linear-input-backward.js';
import { slopeFromValue } from './activation.js';
import { TILE, tiled } from './layout.js';
import { defineTwin } from './twin.js';

export const linearInput = defineTwin(
  source.linearInput,
  ({ buffers: { x, weight, ranges, y, source: values }, params, constants, rows }) => {
    const { inputs, outputs, blocks } = params;
    for (let row = 0; row < rows; row++)
      for (let block = 0; block < blocks; block++)
        for (let o = 0; o < outputs; o++) {
          const strip = Math.floor(o / 8);
          let sum = 0;
          for (let k = ranges[2 * strip]!; k < ranges[2 * strip + 1]!; k++)
            sum +=
              weight[(Math.floor(k / 8) * outputs + o) * 8 + (k % 8)]! *
              x[tiled(params.x_features, row) + (params.x_at + block * inputs + k) * TILE]!;
          const at = tiled(params.y_features, row) + (params.y_at + block * outputs + o) * TILE;
          y[at] = constants.ADD ? y[at]! + sum : constants.ACTIVATION ? slopeFromValue(constants.ACTIVATION, values[at]!) * sum : sum;
        }
  },
);
