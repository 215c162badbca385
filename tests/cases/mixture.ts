import { PASSES } from '../../src/kernels/affine.js';
import { mixture } from '../../src/kernels/mixture.js';
import { defineCases, ROWS, table, tiledNormals } from './case.js';

/** Every third feature passes; the slots of the others are in random order. Logits, means and deviations are normals. */
const transform = (
  features: number,
  rows: number,
  components: number,
  options: { inverse?: boolean; logDet?: boolean; spread?: number; bound?: number } = {},
) => {
  const { inverse = false, logDet = true, spread = 1, bound = inverse ? 2e-5 : 6e-6 } = options;
  const slots = features - Math.floor(features / 3);
  return {
    name: [
      `${features} features`,
      `${rows} rows`,
      `${components} components`,
      ...(inverse ? ['inverse'] : []),
      ...(logDet ? [] : ['no log-det']),
      ...(spread === 1 ? [] : [`inputs times ${spread}`]),
    ].join(', '),
    rows,
    params: { features, slots },
    constants: { COMPONENTS: components, EPS: 0.01, INVERSE: inverse, HAS_LOG_DET: logDet },
    buffers: {
      x: tiledNormals(features, spread),
      // The inverse's error grows where dz/dx is small: between narrow components far apart.
      state: tiledNormals(3 * components * slots, inverse ? 0.5 : 1),
      slot: table((random) => {
        const order = random.permutation(slots);
        return Uint32Array.from({ length: features }, (_, f) => (f % 3 === 2 ? PASSES : order.pop()!));
      }),
      y: tiledNormals(features),
      log_terms: tiledNormals(slots),
    },
    tolerance: { bound },
  };
};

export const mixtureCases = defineCases(mixture, [
  ...ROWS.map((rows) => transform(5, rows, 5)),
  ...ROWS.map((rows) => transform(5, rows, 5, { inverse: true })),
  ...[1, 2, 63].flatMap((features) => [false, true].map((inverse) => transform(features, 257, 3, { inverse }))),
  ...[1, 2, 20].flatMap((components) => [false, true].map((inverse) => transform(2, 1000, components, { inverse }))),
  transform(5, 257, 5, { logDet: false }),
  transform(5, 257, 5, { inverse: true, logDet: false }),
  // Tails: both sides underflow beyond 13 deviations, and the squares of these are about 1e8.
  transform(5, 1000, 5, { spread: 30, bound: 1e-5 }),
  transform(5, 1000, 5, { spread: 1e4, bound: 1e-5 }),
  transform(5, 1000, 5, { spread: 1e4, inverse: true }),
]);
