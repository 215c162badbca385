import { SCALE_NUMBER } from '../../src/kernels/affine.js';
import { affineBackward } from '../../src/kernels/affine-backward.js';
import { MIXED_KINDS, SCALE_CONSTANTS, SCALE_KINDS, slotTable } from './affine.js';
import { defineCases, ROWS, tiledNormals, unread } from './case.js';

type ScaleKind = keyof typeof SCALE_NUMBER;

const backward = (
  features: number,
  rows: number,
  scale: ScaleKind,
  undo: boolean,
  options: { y?: boolean; logDet?: boolean | number; mix?: number; back?: boolean; placed?: boolean } = {},
) => {
  const { y = true, logDet = true, mix = 1, back = false, placed = false } = options;
  const slots = features - Math.floor(features / 3);
  const parameters = scale === 'none' ? slots : 2 * slots;
  return {
    name: `${features} features, ${rows} rows, ${scale}${undo ? ', undone' : ''}${y ? '' : ', log-det alone'}${logDet === false ? ', y alone' : logDet === true ? '' : `, log-det ${logDet}`}${mix < 1 ? `, mixed ${mix}${back ? ', inverted' : ''}` : ''}${placed ? ', placed' : ''}`,
    rows,
    params: { features, slots, parameter_features: parameters, log_gradient: Number(logDet) },
    constants: {
      ...SCALE_CONSTANTS[scale],
      SCALE: SCALE_NUMBER[scale],
      UNDO: undo,
      HAS_Y: y,
      HAS_LOG_DET: logDet === true,
      MIX: mix,
      REST: 1 - mix,
      BACK: back,
      PLACED: placed,
    },
    buffers: {
      x: tiledNormals(features),
      parameters: tiledNormals(parameters),
      slot: slotTable(features, slots, placed),
      d_y: y ? tiledNormals(features) : unread,
      d_log_terms: logDet === true ? tiledNormals(slots) : unread,
      d_x: tiledNormals(features),
      d_parameters: tiledNormals(parameters),
    },
    tolerance: { bound: 4e-6 },
  };
};

export const affineBackwardCases = defineCases(affineBackward, [
  ...ROWS.map((rows) => backward(5, rows, 'exp', false)),
  ...[1, 2, 63].map((features) => backward(features, 257, 'exp', true)),
  ...SCALE_KINDS.flatMap((scale) => [false, true].map((undo) => backward(5, 1000, scale, undo))),
  ...MIXED_KINDS.flatMap((scale) =>
    [false, true].flatMap((undo) => [false, true].map((back) => backward(5, 257, scale, undo, { mix: 0.375, back }))),
  ),
  backward(5, 257, 'tanh', false, { y: false }),
  backward(5, 257, 'tanh', true, { logDet: false }),
  backward(5, 257, 'tanh', true, { logDet: -1.5 }),
  ...[1, 2, 5, 63].map((features) => backward(features, 257, 'exp', true, { placed: true })),
]);
