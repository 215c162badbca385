import { SCALE_NUMBER } from '../../src/kernels/affine.js';
import { linearInputAffine } from '../../src/kernels/linear-input-affine.js';
import { turnedRanges } from '../../src/kernels/rules/masked-linear.js';
import type { Random } from '../support/random.js';
import { mixConstants, SCALE_CONSTANTS } from './affine.js';
import { defineCases, ROWS, table, tiledNormals, unread } from './case.js';
import { type AffineLayer, withPlaces } from './linear-affine.js';
import { packed } from './masked-linear.js';

interface Shape extends AffineLayer {
  readonly add?: boolean;
  readonly logGradient?: number;
}

const layer = (shape: Shape) => {
  const { inputs, slots, features = slots, rows = 257, scale = 'exp', undo = false, masked = false, at = 0, add = true } = shape;
  const { logGradient = -1, mixed } = shape;
  const parameters = (scale === 'none' ? 1 : 2) * slots;
  const packedOf = (random: Random) => packed(random, { inputs: features, outputs: inputs, masked });
  return {
    name: [
      `${inputs}→${features}, ${slots} slots, ${rows} rows, ${scale}`,
      ...(undo ? ['undone'] : []),
      ...(masked ? ['masked'] : []),
      ...(at ? [`from ${at}`] : []),
      ...(add ? [] : ['nothing before']),
      ...(logGradient === -1 ? [] : [`log-det ${logGradient}`]),
      ...(mixed ? [`mix ${mixed.mix}`] : []),
    ].join(', '),
    rows,
    params: {
      inputs,
      outputs: features,
      x_features: inputs + 2 * at,
      x_at: at,
      y_features: features,
      y_at: 0,
      slots,
      parameter_features: parameters,
      log_gradient: logGradient,
    },
    constants: { ...SCALE_CONSTANTS[scale], SCALE: SCALE_NUMBER[scale], UNDO: undo, ADD: add, ...mixConstants(mixed) },
    buffers: {
      x: tiledNormals(inputs + 2 * at),
      weight: table((random) => packedOf(random).weight),
      ranges: table((random) => withPlaces(random, turnedRanges(packedOf(random).ranges, features, inputs), features)),
      value: tiledNormals(features),
      parameters: tiledNormals(parameters),
      before: add ? tiledNormals(features) : unread,
      d_x: tiledNormals(features),
      d_parameters: tiledNormals(parameters),
    },
    // As affine-backward.ts, beside sums of up to 200 terms of unit size and through e^u.
    tolerance: { bound: 2e-5 },
  };
};

export const linearInputAffineCases = defineCases(linearInputAffine, [
  ...ROWS.map((rows) => layer({ inputs: 20, slots: 5, features: 8, rows })),
  ...ROWS.map((rows) => layer({ inputs: 70, slots: 21, rows, masked: true, undo: true })),
  layer({ inputs: 1, slots: 1 }),
  layer({ inputs: 30, slots: 2, features: 3, add: false }),
  layer({ inputs: 200, slots: 64, features: 128, undo: true, logGradient: 0 }),
  layer({ inputs: 30, slots: 10, features: 12, at: 3 }),
  // The transformer alone has its cases in affine-backward.ts.
  layer({ inputs: 12, slots: 5, features: 6, rows: 100, scale: 'none', undo: true }),
  layer({ inputs: 12, slots: 5, features: 6, rows: 100, scale: 'tanh' }),
  layer({ inputs: 12, slots: 5, features: 6, rows: 100, scale: 'softplus' }),
  layer({ inputs: 12, slots: 5, rows: 100, scale: 'tanh', undo: true, mixed: { mix: 0.3, back: true } }),
]);
