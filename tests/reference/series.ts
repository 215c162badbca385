import * as source from '../../src/kernels/generated/series.js';
import { TILE, tiled } from './layout.js';
import { defineTwin } from './twin.js';

const RUN = 24;

/** Sum of `count` terms in runs. */
function inRuns(count: number, term: (t: number) => number): number {
  let all = 0;
  for (let start = 0; start < count; start += RUN) {
    let part = 0;
    for (let t = start; t < Math.min(start + RUN, count); t++) part += term(t);
    all += part;
  }
  return all;
}

export const readStep = defineTwin(source.readStep, ({ buffers: { outside, inside, scale }, params, constants, ...call }) => {
  const { features, inside_features, at } = params;
  const { rows, firstRow, step = 0, steps = 0, period = 0 } = call;
  for (let row = 0; row < rows; row++) {
    const from = constants.REPEATED ? (firstRow + row) % period : row;
    for (let f = 0; f < features; f++) {
      const value = outside[(from * steps + step) * features + f]!;
      inside[tiled(inside_features, row) + (at + f) * TILE] = constants.SCALED ? value / scale[tiled(features, row) + f * TILE]! : value;
    }
  }
});

export const writeStep = defineTwin(source.writeStep, ({ buffers: { tensor, result, scale }, params, constants, ...call }) => {
  const { features, inside_features } = params;
  const { rows, step = 0, steps = 0 } = call;
  for (let row = 0; row < rows; row++)
    for (let f = 0; f < features; f++) {
      const value = tensor[tiled(inside_features, row) + f * TILE]!;
      result[(row * steps + step) * features + f] = constants.SCALED ? value * scale[tiled(features, row) + f * TILE]! : value;
    }
});

export const meanScale = defineTwin(source.meanScale, ({ buffers: { outside, inside }, params: { features }, ...call }) => {
  const { rows, step = 0, steps = 0 } = call;
  for (let row = 0; row < rows; row++)
    for (let f = 0; f < features; f++) {
      const mean = inRuns(step, (t) => Math.abs(outside[(row * steps + t) * features + f]!)) / Math.max(step, 1);
      inside[tiled(features, row) + f * TILE] = mean < 1e-30 ? 1 : mean;
    }
});

export const total = defineTwin(source.total, ({ buffers: { outside, result, scale, sum }, params: { features }, constants, ...call }) => {
  const { rows, steps = 0 } = call;
  for (let row = 0; row < rows; row++) {
    let logScale = 0;
    if (constants.SCALED) for (let f = 0; f < features; f++) logScale += Math.log(scale[tiled(features, row) + f * TILE]!);
    sum[row] = inRuns(steps, (t) => {
      const value = outside[row * steps + t]! - logScale;
      result[row * steps + t] = value;
      return value;
    });
  }
});
