import * as source from '../../src/kernels/generated/runge-kutta.js';
import { TILE, tiled } from './layout.js';
import { defineTwin, type Numbers } from './twin.js';

function weighted(coefficients: Numbers, k: Numbers, at: number, stride: number, terms: number): number {
  let sum = 0;
  for (let i = 0; i < terms; i++) sum += coefficients[i]! * k[at + i * stride * TILE]!;
  return sum;
}

export const advance = defineTwin(source.advance, ({ buffers: { x, k, coefficients, y }, params, rows }) => {
  const { features, terms } = params;
  for (let row = 0; row < rows; row++)
    for (let f = 0; f < features; f++) {
      const slopes = tiled(params.k_features, row) + f * TILE;
      const moved = terms > 0 ? weighted(coefficients, k, slopes, params.k_stride, terms) : 0;
      y[tiled(params.y_features, row) + (params.y_at + f) * TILE] = x[tiled(params.x_features, row) + (params.x_at + f) * TILE]! + moved;
    }
});

export const stepError = defineTwin(source.stepError, ({ buffers: { x, k, coefficients, y_next, error }, params, rows }) => {
  const { features, terms, k_stride } = params;
  for (let row = 0; row < rows; row++) {
    const base = tiled(features, row);
    const slopes = tiled(params.k_features, row);
    let [total, lost, failed] = [0, false, false];
    for (let f = 0; f < features; f++) {
      const [from, to] = [x[base + f * TILE]!, y_next[base + f * TILE]!];
      lost ||= !Number.isFinite(from) || !Number.isFinite(k[slopes + f * TILE]!);
      failed ||= !Number.isFinite(to);
      const size = Math.max(Math.abs(from), Math.abs(to));
      total += (weighted(coefficients, k, slopes + f * TILE, k_stride, terms) / (params.atol + params.rtol * size)) ** 2;
    }
    total /= features;
    error[row] = lost ? -1 : failed || !Number.isFinite(total) ? -2 : total;
  }
});
