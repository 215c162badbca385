import { ACTIVATION_NUMBER, type Activation } from '../../src/kernels/activation.js';
import { SCALE_NUMBER } from '../../src/kernels/affine.js';
import { thinNetAffine } from '../../src/kernels/thin-net-affine.js';
import { type ThinShape, thinNetCall } from '../support/thin-net.js';
import { mixConstants, SCALE_CONSTANTS } from './affine.js';
import { defineCases, ROWS, tiledNormals } from './case.js';

interface Options {
  /** Where each feature comes from, and where it goes: those that are moved, then those that pass. */
  readonly from: readonly number[];
  readonly to: readonly number[];
  readonly scale?: keyof typeof SCALE_NUMBER;
  readonly undo?: boolean;
  readonly activation?: Activation;
  readonly logDet?: boolean;
  readonly first?: boolean;
  readonly mixed?: { readonly mix: number; readonly back: boolean };
}

const packed = (places: readonly number[]): number => places.reduce((bits, place, i) => bits + place * 16 ** i, 0);

const net = (
  shape: ThinShape,
  { from, to, scale = 'exp', undo = false, activation = 'relu', logDet = true, first = false, mixed }: Options,
) => {
  const call = thinNetCall(shape, false);
  const slots = scale === 'none' ? shape.back : shape.back / 2;
  const features = from.length;
  return {
    ...call,
    name: [
      `${call.name}, ${activation}, ${slots} of ${features} features, ${scale}`,
      ...(undo ? ['undone'] : []),
      ...(logDet ? [] : ['no log-det']),
      ...(first ? ['first'] : []),
      ...(mixed ? [`mix ${mixed.mix}`] : []),
    ].join(', '),
    params: { ...call.params, features, slots, read_places: packed(from), left_places: packed(to) },
    constants: {
      ...call.constants,
      FRONT_ACTIVATION: ACTIVATION_NUMBER[activation],
      ACTIVATION: ACTIVATION_NUMBER[activation],
      ...SCALE_CONSTANTS[scale],
      SCALE: SCALE_NUMBER[scale],
      UNDO: undo,
      HAS_LOG_DET: logDet,
      FIRST: first,
      KEEP: shape.keeps !== false,
      ...mixConstants(mixed),
    },
    buffers: { ...call.buffers, value: tiledNormals(features), moved: tiledNormals(features), total: tiledNormals(1) },
    // As narrow-net-affine.ts.
    tolerance: { bound: 2e-5 },
  };
};

const two: Options = { from: [1, 0], to: [1, 0] };

export const thinNetAffineCases = defineCases(thinNetAffine, [
  ...ROWS.map((rows) => net({ front: 1, inputs: 20, outputs: 30, back: 2, rows }, two)),
  net({ front: 2, inputs: 61, outputs: 125, back: 4, packs: true }, { from: [0, 1], to: [1, 0], scale: 'tanh', undo: true }),
  net(
    { front: 0, inputs: 64, outputs: 64, back: 4, keeps: false },
    { from: [7, 2, 0, 1, 3, 4, 5, 6], to: [0, 1, 2, 3, 4, 7, 6, 5], first: true },
  ),
  net({ front: 2, inputs: 12, outputs: 13, back: 2, at: 2 }, { ...two, scale: 'softplus', activation: 'tanh' }),
  net({ front: 2, inputs: 12, outputs: 13, back: 1, keeps: false }, { ...two, scale: 'none', logDet: false }),
  net(
    { front: 3, inputs: 12, outputs: 13, back: 4, keeps: false },
    { from: [3, 1, 0, 4, 2], to: [0, 1, 2, 3, 4], scale: 'none', undo: true },
  ),
  net({ front: 2, inputs: 12, outputs: 13, back: 2 }, { ...two, mixed: { mix: 0.3, back: true }, undo: true }),
]);
