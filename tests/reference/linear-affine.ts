import * as source from '../../src/kernels/generated/linear-affine.js';
import { moveAffine } from './affine-scale.js';
import { TILE, tiled, weightPlace } from './layout.js';
import { defineTwin } from './twin.js';

export const linearAffine = defineTwin(
  source.linearAffine,
  ({ buffers: { x, weight, bias, ranges, value, y, total, p }, params, constants, rows }) => {
    const { inputs, outputs, features, slots } = params;
    const places = 2 * Math.ceil(outputs / 8);
    for (let row = 0; row < rows; row++) {
      const parameters = Float64Array.from({ length: outputs }, (_, o) => {
        const strip = Math.floor(o / 8);
        let v = bias[o]!;
        for (let k = ranges[2 * strip]!; k < ranges[2 * strip + 1]!; k++)
          v += weight[weightPlace(constants.PACKED, inputs, o, k)]! * x[tiled(params.x_features, row) + (params.x_at + k) * TILE]!;
        if (constants.KEEP) p[tiled(params.y_features, row) + (params.y_at + o) * TILE] = v;
        return v;
      });
      let logDet = 0;
      for (let i = 0; i < features; i++) {
        const [from, to] = [0, 1].map((end) => tiled(features, row) + ranges[places + 2 * i + end]! * TILE) as [number, number];
        if (i >= slots) {
          y[to] = value[from]!;
          continue;
        }
        const [moved, term] = moveAffine(constants, value[from]!, parameters[i]!, constants.SCALE === 0 ? 0 : parameters[slots + i]!);
        y[to] = moved;
        logDet += term;
      }
      if (constants.HAS_LOG_DET) total[row] = (constants.FIRST ? 0 : total[row]!) + logDet;
    }
  },
);
