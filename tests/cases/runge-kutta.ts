import { rungeKutta } from '../../src/kernels/runge-kutta.js';
import { defineCases, ROWS, table, tiledNormals, ULP, unread } from './case.js';

const advance = (features: number, terms: number, rows = 257, at = 0) => ({
  name: `${features} features, ${terms} terms, ${rows} rows${at > 0 ? `, from ${at} into ${2 * at}` : ''}`,
  rows,
  params: {
    features,
    terms,
    x_features: features + at,
    x_at: at,
    k_features: Math.max(terms, 1) * (features + at),
    k_stride: features + at,
    y_features: features + 3 * at,
    y_at: 2 * at,
    rtol: 0,
    atol: 0,
  },
  buffers: {
    x: tiledNormals(features + at),
    k: terms > 0 ? tiledNormals(terms * (features + at)) : unread,
    coefficients: terms > 0 ? table((random) => random.normals(terms)) : unread,
    y: tiledNormals(features + 3 * at),
  },
  tolerance: terms > 0 ? { bound: (1 + terms / 2) * ULP, of: 'inputs' as const } : { bound: 0 },
});

export const advanceCases = defineCases(rungeKutta.advance, [
  ...ROWS.map((rows) => advance(5, 6, rows)),
  ...[1, 2, 63].map((features) => advance(features, 4)),
  ...[0, 1, 7].map((terms) => advance(3, terms, 1000, 2)),
]);

/** @param special what every seventh row holds somewhere in x, k or y_next: not finite. */
const stepError = (features: number, rows: number, special: readonly number[] = []) => {
  const marred = (every: number, count: number) => {
    const plain = tiledNormals(count);
    return {
      ...plain,
      make: (random: Parameters<typeof plain.make>[0], n: number) => {
        const data = plain.make(random, n);
        for (const [i, value] of special.entries()) for (let at = every + i; at < data.length; at += 7 * special.length) data[at] = value;
        return data;
      },
    };
  };
  return {
    name: `${features} features, ${rows} rows${special.length > 0 ? `, some ${special.join(', ')}` : ''}`,
    rows,
    params: {
      features,
      terms: 7,
      x_features: features,
      x_at: 0,
      k_features: 7 * features,
      k_stride: features,
      y_features: features,
      y_at: 0,
      rtol: 0.25,
      atol: 0.5,
    },
    buffers: {
      x: marred(1, features),
      k: marred(64, 7 * features),
      coefficients: table((random) => random.normals(7, 0.1)),
      y_next: marred(4, features),
      error: tiledNormals(1),
    },
    tolerance: { bound: 2e-6 },
  };
};

export const stepErrorCases = defineCases(rungeKutta.stepError, [
  ...ROWS.map((rows) => stepError(5, rows)),
  ...[1, 2, 63].map((features) => stepError(features, 257)),
  ...[1, 3].map((features) => stepError(features, 257, [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])),
]);
