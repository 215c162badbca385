import * as source from '../../src/kernels/generated/linear-input-affine.js';
import { turnBack } from './affine-backward.js';
import { TILE, tiled } from './layout.js';
import { defineTwin } from './twin.js';

export const linearInputAffine = defineTwin(source.linearInputAffine, ({ buffers, params, constants, rows }) => {
  const { x, weight, ranges, value, parameters, before, d_x, d_parameters } = buffers;
  const { outputs, slots } = params;
  const places = 2 * Math.ceil(outputs / 8);
  const scaled = constants.SCALE !== 0;
  for (let row = 0; row < rows; row++) {
    const gradients = Float64Array.from({ length: outputs }, (_, o) => {
      const strip = Math.floor(o / 8);
      let sum = constants.ADD ? before[tiled(outputs, row) + o * TILE]! : 0;
      for (let k = ranges[2 * strip]!; k < ranges[2 * strip + 1]!; k++)
        sum += weight[(Math.floor(k / 8) * outputs + o) * 8 + (k % 8)]! * x[tiled(params.x_features, row) + (params.x_at + k) * TILE]!;
      return sum;
    });
    for (let i = 0; i < outputs; i++) {
      const from = tiled(outputs, row) + ranges[places + 2 * i]! * TILE;
      const gradient = gradients[ranges[places + 2 * i + 1]!]!;
      d_x[from] = gradient;
      if (i >= slots) continue;
      const p = tiled(params.parameter_features, row) + i * TILE;
      const u = scaled ? parameters[p + slots * TILE]! : 0;
      const [dX, shift, scale] = turnBack(constants, value[from]!, parameters[p]!, u, gradient, params.log_gradient);
      d_x[from] = dX;
      d_parameters[p] = shift;
      if (scaled) d_parameters[p + slots * TILE] = scale;
    }
  }
});
