// Random narrow networks with a transformer's slots behind them, for the cases of the kernels that fuse both.

import { ACTIVATION_NUMBER, type Activation } from '../../src/kernels/activation.js';
import { PASSES } from '../../src/kernels/affine.js';
import { groupsOf, packNet } from '../../src/kernels/narrow-net.js';
import { table, tiledNormals, unread } from '../cases/case.js';
import { packed } from '../cases/masked-linear.js';
import type { Random } from './random.js';

export interface NetShape {
  readonly inputs: number;
  readonly hidden: readonly number[];
  readonly rows?: number;
  readonly features: number;
  readonly activation?: Activation;
  /** Layer that adds a tensor. */
  readonly adds?: number;
  readonly norm?: boolean;
  readonly masked?: boolean;
  /** Deviation of the parameters, about. Default 1. */
  readonly spread?: number;
  readonly logDet?: boolean;
}

/** @param each parameters of a slot; every third feature passes, and the slots of the others are in random order. */
export function narrowNetCall(each: number, shape: NetShape) {
  const {
    inputs,
    hidden,
    rows = 257,
    features,
    activation = 'relu',
    adds,
    norm = false,
    masked = false,
    spread = 1,
    logDet = true,
  } = shape;
  const slots = features - Math.floor(features / 3);
  const widths = [inputs, ...hidden, each * slots];
  const net = (random: Random) => {
    const layers = widths.slice(1).map((outputs, i) => packed(random, { inputs: widths[i]!, outputs, masked }));
    const [last] = layers.slice(-1);
    for (const values of [last!.weight, last!.bias]) for (const [i, value] of values.entries()) values[i] = value * spread;
    const order = random.permutation(slots);
    return packNet(
      layers,
      Uint32Array.from({ length: features }, (_, f) => (f % 3 === 2 ? PASSES : order.pop()!)),
    );
  };
  const layers = widths.length - 1;
  return {
    name: [
      `${widths.join('→')}, ${features} features, ${rows} rows, ${activation}`,
      ...(adds === undefined ? [] : [`layer ${adds} adds`]),
      ...(norm ? ['norm'] : []),
      ...(masked ? ['masked'] : []),
      ...(logDet ? [] : ['no log-det']),
    ].join(', '),
    rows,
    params: {
      layers,
      x_features: inputs,
      addend_layer: adds ?? 0,
      addend_features: widths[(adds ?? 0) + 1]!,
      features,
      slots,
      slot_at: layers * 5 + widths.slice(1).reduce((sum, outputs) => sum + 2 * Math.ceil(outputs / 8), 0),
      groups: groupsOf(Math.max(...widths)),
    },
    constants: { ACTIVATION: ACTIVATION_NUMBER[activation], ADDEND: adds !== undefined, NORM: norm, HAS_LOG_DET: logDet },
    buffers: {
      x: tiledNormals(inputs),
      weight: table((random) => net(random).weight),
      bias: table((random) => net(random).bias),
      plan: table((random) => net(random).plan),
      addend: adds === undefined ? unread : tiledNormals(widths[adds + 1]!),
      value: tiledNormals(features),
      y: tiledNormals(features),
      total: tiledNormals(1),
    },
  };
}
