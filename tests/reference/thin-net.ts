import * as source from '../../src/kernels/generated/thin-net.js';
import * as affineSource from '../../src/kernels/generated/thin-net-affine.js';
import * as backwardSource from '../../src/kernels/generated/thin-net-backward.js';
import { activate, slopeFromValue } from './activation.js';
import { moveAffine } from './affine-scale.js';
import { TILE, tiled, weightPlace } from './layout.js';
import { defineTwin, type TwinCall } from './twin.js';

/** Features `at` … `at + count − 1` of a row. */
const rowOf = (data: ArrayLike<number>, features: number, at: number, count: number, row: number): Float64Array =>
  Float64Array.from({ length: count }, (_, f) => data[tiled(features, row) + (at + f) * TILE]!);

type Forward = Pick<TwinCall<typeof source.thinNet>, 'buffers' | 'params'> & {
  readonly constants: Readonly<Record<'KEEP_FRONT' | 'KEEP_WIDE' | 'PACKED', boolean> & Record<'FRONT_ACTIVATION' | 'ACTIVATION', number>>;
};

/** What the layer behind gives for a row, after units are written where they are kept; null without one. */
function forward({ buffers: { x, weight, front, wide }, params, constants }: Forward, row: number): Float64Array | null {
  const { inputs, outputs, x_features, x_at } = params;
  /** Weights and biases of a layer begin at these vec4. */
  const layer = (from: Float64Array, count: number, weightAt: number, biasAt: number, isPacked = false): Float64Array =>
    Float64Array.from({ length: count }, (_, o) =>
      from.reduce(
        (sum, value, k) => sum + weight[4 * weightAt + weightPlace(isPacked, from.length, o, k)]! * value,
        weight[4 * biasAt + o]!,
      ),
    );
  let units = rowOf(x, x_features, x_at, params.front || inputs, row);
  if (params.front) {
    units = layer(units, inputs, params.front_weight, params.front_bias).map((v) => activate(constants.FRONT_ACTIVATION, v));
    if (constants.KEEP_FRONT) for (const [k, value] of units.entries()) front[tiled(inputs, row) + k * TILE] = value;
  }
  units = layer(units, outputs, params.wide_weight, params.wide_bias, constants.PACKED).map((v) => activate(constants.ACTIVATION, v));
  if (constants.KEEP_WIDE) for (const [o, value] of units.entries()) wide[tiled(outputs, row) + o * TILE] = value;
  return params.back ? layer(units, params.back, params.back_weight, params.back_bias) : null;
}

export const thinNet = defineTwin(source.thinNet, (call) => {
  const { y_features, y_at } = call.params;
  for (let row = 0; row < call.rows; row++)
    for (const [j, value] of forward(call, row)?.entries() ?? []) call.buffers.y[tiled(y_features, row) + (y_at + j) * TILE] = value;
});

export const thinNetAffine = defineTwin(affineSource.thinNetAffine, (call) => {
  const { buffers, params, constants, rows } = call;
  const { features, slots, y_features, y_at } = params;
  const place = (places: number, i: number): number => Math.floor(places / 16 ** i) % 16;
  for (let row = 0; row < rows; row++) {
    const parameters = forward(call, row)!;
    if (constants.KEEP) for (const [j, value] of parameters.entries()) buffers.y[tiled(y_features, row) + (y_at + j) * TILE] = value;
    let logDet = 0;
    for (let i = 0; i < features; i++) {
      const before = buffers.value[tiled(features, row) + place(params.read_places, i) * TILE]!;
      const u = constants.SCALE === 0 ? 0 : parameters[slots + i]!;
      const [value, term] = i < slots ? moveAffine(constants, before, parameters[i]!, u) : [before, 0];
      buffers.moved[tiled(features, row) + place(params.left_places, i) * TILE] = value;
      logDet += term;
    }
    if (constants.HAS_LOG_DET) buffers.total[row] = (constants.FIRST ? 0 : buffers.total[row]!) + logDet;
  }
});

export const thinNetBackward = defineTwin(
  backwardSource.thinNetBackward,
  ({ buffers: { x, weight, front, wide, y, front_source, wide_source }, params, constants, rows }) => {
    const { inputs, outputs, x_features, x_at, y_features, y_at } = params;
    /** A layer turned round: its outputs come in. */
    const layer = (from: Float64Array, count: number, weightAt: number): Float64Array =>
      Float64Array.from({ length: count }, (_, o) =>
        from.reduce((sum, value, k) => sum + weight[4 * weightAt + (Math.floor(k / 8) * count + o) * 8 + (k % 8)]! * value, 0),
      );
    const slope = (kind: number, value: number): number => (kind ? slopeFromValue(kind, value) : 1);
    for (let row = 0; row < rows; row++) {
      let units = rowOf(x, x_features, x_at, params.front || inputs, row);
      if (params.front) {
        units = layer(units, inputs, params.front_weight).map(
          (v, k) => v * slope(constants.FRONT_ACTIVATION, front_source[tiled(inputs, row) + k * TILE]!),
        );
        if (constants.KEEP_FRONT) for (const [k, value] of units.entries()) front[tiled(inputs, row) + k * TILE] = value;
      }
      units = layer(units, outputs, params.wide_weight).map(
        (v, o) => v * slope(constants.ACTIVATION, wide_source[tiled(outputs, row) + o * TILE]!),
      );
      if (constants.KEEP_WIDE) for (const [o, value] of units.entries()) wide[tiled(outputs, row) + o * TILE] = value;
      if (params.back)
        for (const [j, value] of layer(units, params.back, params.back_weight).entries()) {
          const at = tiled(y_features, row) + (y_at + j) * TILE;
          y[at] = constants.ADD ? y[at]! + value : value;
        }
    }
  },
);
