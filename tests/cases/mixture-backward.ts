import { PASSES } from '../../src/kernels/affine.js';
import { mixtureTransformerBackward } from '../../src/kernels/mixture-backward.js';
import { TILE } from '../../src/runtime/tensor.js';
import { type BufferSpec, defineCases, ROWS, table, tiledNormals, unread } from './case.js';

interface Options {
  readonly inverse?: boolean;
  readonly y?: boolean;
  readonly logDet?: boolean;
  readonly spread?: number;
  readonly bound?: number;
  /** Smallest sigma. */
  readonly eps?: number;
}

/** log π, μ and 1 / σ as the forward kernel leaves them, of normals. */
const normalised = (components: number, slots: number, scale: number, eps: number): BufferSpec => ({
  layout: 'tiled',
  make: (random, rows) => {
    const data = tiledNormals(3 * components * slots, scale).make(random, rows) as Float32Array<ArrayBuffer>;
    for (let tile = 0; tile < data.length; tile += 3 * components * slots * TILE)
      for (let lane = 0; lane < slots * TILE; lane++) {
        const place = (index: number) => tile + index * slots * TILE + lane;
        let sum = 0;
        for (let k = 0; k < components; k++) sum += Math.exp(data[place(k)]!);
        for (let k = 0; k < components; k++) {
          data[place(k)]! -= Math.log(sum);
          const at = place(2 * components + k);
          data[at] = 1 / (Math.log1p(Math.exp(data[at]!)) + eps);
        }
      }
    return data;
  },
});

const backward = (features: number, rows: number, components: number, options: Options = {}) => {
  const { inverse = false, y = true, logDet = true, spread = 1, bound = inverse ? 3e-3 : 5e-4, eps = 0.01 } = options;
  const slots = features - Math.floor(features / 3);
  return {
    name: [
      `${features} features`,
      `${rows} rows`,
      `${components} components`,
      ...(inverse ? ['inverse'] : []),
      ...(y ? [] : ['log-det alone']),
      ...(logDet ? [] : ['value alone']),
      ...(spread === 1 ? [] : [`inputs times ${spread}`]),
    ].join(', '),
    rows,
    params: { features, slots },
    constants: { COMPONENTS: components, EPS: eps, INVERSE: inverse, HAS_Y: y, HAS_LOG_DET: logDet },
    buffers: {
      x: tiledNormals(features, spread),
      // Its bits stay.
      state: normalised(components, slots, inverse ? 0.5 : 1, eps),
      slot: table((random) => {
        const order = random.permutation(slots);
        return Uint32Array.from({ length: features }, (_, f) => (f % 3 === 2 ? PASSES : order.pop()!));
      }),
      d_value: y ? tiledNormals(features) : unread,
      d_log_terms: logDet ? tiledNormals(slots) : unread,
      d_source: tiledNormals(features),
      d_state: tiledNormals(3 * components * slots),
    },
    tolerance: { bound },
  };
};

export const mixtureBackwardCases = defineCases(mixtureTransformerBackward, [
  ...ROWS.map((rows) => backward(5, rows, 5)),
  ...ROWS.slice(0, 3).map((rows) => backward(5, rows, 5, { inverse: true })),
  ...[1, 2, 63].flatMap((features) => [false, true].map((inverse) => backward(features, 67, 3, { inverse }))),
  ...[1, 2, 20].flatMap((components) => [false, true].map((inverse) => backward(2, 257, components, { inverse }))),
  backward(5, 257, 5, { y: false }),
  backward(5, 257, 5, { logDet: false }),
  backward(5, 257, 5, { inverse: true, logDet: false }),
  // Tails: squares of deviations are up to about 5e3, whose halves are exponents with an error of 2e-7 of them.
  backward(5, 257, 5, { spread: 10, eps: 0.5 }),
]);
