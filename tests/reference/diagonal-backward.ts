import * as source from '../../src/kernels/generated/diagonal-backward.js';
import { TILE, tiled } from './layout.js';
import { sigmoid, softplus } from './math.js';
import { defineTwin } from './twin.js';

const gain = (map: number, u: number, setting: number): number =>
  map === 1 ? Math.log(softplus(u) + setting) : map === 2 ? u / (1 + Math.abs(u / setting)) : u;

const slope = (map: number, u: number, setting: number): number =>
  map === 1 ? sigmoid(u) / (softplus(u) + setting) : map === 2 ? (1 + Math.abs(u / setting)) ** -2 : 1;

/** The factor's two parts add up exactly in float64, so the second is 0 here. */
export const diagonalConstants = defineTwin(source.diagonalConstants, ({ buffers, params, constants: { MAP } }) => {
  const { center, raw, offset, shift, constants, log_det } = buffers;
  const { features, sign, setting } = params;
  log_det[0] = 0;
  for (let f = 0; f < features; f++) {
    const s = sign * gain(MAP, raw[f]!, setting) + offset[f]!;
    constants[f] = center[f]!;
    constants[features + f] = Math.exp(s);
    constants[2 * features + f] = 0;
    constants[3 * features + f] = shift[f]!;
    log_det[0] += s;
  }
});

export const diagonalConstantsBackward = defineTwin(source.diagonalConstantsBackward, ({ buffers, params, constants: { MAP } }) => {
  const { raw, made, d_constants, d_log_det, d_center, d_raw, d_offset, d_shift } = buffers;
  const { features, sign, setting } = params;
  for (let f = 0; f < features; f++) {
    const factor = made[features + f]! + made[2 * features + f]!;
    d_center[f]! += d_constants[f]!;
    const dLogScale = d_constants[features + f]! * factor + d_log_det[0]!;
    d_raw[f]! += sign * slope(MAP, raw[f]!, setting) * dLogScale;
    d_offset[f]! += dLogScale;
    d_shift[f]! += d_constants[3 * features + f]!;
  }
});

export const diagonalGradient = defineTwin(source.diagonalGradient, ({ buffers: { source: x, d_z, made, gradient }, params, rows }) => {
  const { features } = params;
  for (let f = 0; f < features; f++) {
    let plain = 0;
    let moment = 0;
    for (let row = 0; row < rows; row++) {
      const at = tiled(features, row) + f * TILE;
      plain += d_z[at]!;
      moment += d_z[at]! * (x[at]! - made[f]!);
    }
    gradient[f]! -= (made[features + f]! + made[2 * features + f]!) * plain;
    gradient[features + f]! += moment;
    gradient[3 * features + f]! += plain;
  }
});

export const diagonalEntries = defineTwin(source.diagonalEntries, ({ buffers: { raw, on, entries }, params, constants: { MAP } }) => {
  for (let i = 0; i < params.features; i++) entries[i] = on[i] === 1 ? Math.exp(gain(MAP, raw[i]!, params.setting)) : raw[i]!;
});

export const diagonalEntriesBackward = defineTwin(source.diagonalEntriesBackward, ({ buffers, params, constants: { MAP } }) => {
  const { raw, on, d_entries, d_raw } = buffers;
  for (let i = 0; i < params.features; i++) {
    const [u, s] = [raw[i]!, params.setting];
    d_raw[i]! += (on[i] === 1 ? slope(MAP, u, s) * Math.exp(gain(MAP, u, s)) : 1) * d_entries[i]!;
  }
});

export const diagonalProduct = defineTwin(source.diagonalProduct, ({ buffers: { center, raw, offset, shift, constants }, params }) => {
  const { features } = params;
  for (let f = 0; f < features; f++) {
    constants[f] = center[f]!;
    constants[features + f] = raw[f]! * offset[f]!;
    constants[2 * features + f] = 0;
    constants[3 * features + f] = shift[f]!;
  }
});

export const diagonalProductBackward = defineTwin(source.diagonalProductBackward, ({ buffers, params: { features } }) => {
  const { raw, offset, d_constants, d_center, d_raw, d_offset, d_shift } = buffers;
  for (let f = 0; f < features; f++) {
    d_center[f]! += d_constants[f]!;
    d_raw[f]! += offset[f]! * d_constants[features + f]!;
    d_offset[f]! += raw[f]! * d_constants[features + f]!;
    d_shift[f]! += d_constants[3 * features + f]!;
  }
});
