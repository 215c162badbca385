import { centerPixels, pixelSums, rectifyBackward } from '../../src/kernels/conv2d-backward.js';
import { defineCases, ROWS, table, tiledNormals, ULP } from './case.js';

const rectify = (features: number, rows: number, slope: number) => ({
  name: `${features} features, ${rows} rows, slope ${slope}`,
  rows,
  params: { features, slope },
  buffers: { value: tiledNormals(features), d_value: tiledNormals(features), d_sum: tiledNormals(features) },
  tolerance: { bound: ULP },
});

export const rectifyBackwardCases = defineCases(rectifyBackward, [
  ...ROWS.map((rows) => rectify(5, rows, 0)),
  ...[1, 2, 63].map((features) => rectify(features, 257, 0.01)),
]);

const sums = (features: number, pixels: number, rows: number, minor = false, at = 0) => ({
  name: `${features} channels, ${pixels} pixels, ${rows} rows${minor ? ', by pixel' : ''}${at ? `, from ${at}` : ''}`,
  rows,
  params: {
    features,
    source_features: features * pixels + 2 * at,
    at,
    channel: minor ? 1 : pixels,
    pixel: minor ? features : 1,
    pixels,
  },
  buffers: { terms: tiledNormals(features * pixels + 2 * at), sums: tiledNormals(features) },
  tolerance: { bound: (4 + pixels / 64) * ULP, of: 'inputs' as const },
});

export const pixelSumsCases = defineCases(pixelSums, [
  ...ROWS.map((rows) => sums(3, 16, rows)),
  ...[1, 2, 5, 63].map((features) => sums(features, 9, 257, true)),
  ...[1, 32, 33, 100].map((pixels) => sums(2, pixels, 66, false, 3)),
]);

const center = (channels: number, pixels: number, rows: number, minor = false, at = 0) => ({
  name: `${channels} channels, ${pixels} pixels, ${rows} rows${minor ? ', by pixel' : ''}${at ? `, from ${at}` : ''}`,
  rows,
  params: {
    features: channels * pixels,
    pixels,
    bias_at: 8,
    source_features: channels * pixels + 2 * at,
    at,
    channel: minor ? 1 : pixels,
    pixel: minor ? channels : 1,
  },
  buffers: {
    terms: tiledNormals(channels * pixels + 2 * at),
    bias: table((random) => random.normals(8 + channels)),
    centered: tiledNormals(channels * pixels),
  },
  tolerance: { bound: ULP },
});

export const centerPixelsCases = defineCases(centerPixels, [
  ...ROWS.map((rows) => center(3, 16, rows)),
  ...[1, 2, 5, 63].map((channels) => center(channels, 9, 257, true)),
  center(2, 5, 66, false, 3),
]);
