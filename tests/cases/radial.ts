import { packRadial } from '../../src/flows/bijectors/radial.js';
import { radial } from '../../src/kernels/radial.js';
import type { Random } from '../support/random.js';
import { defineCases, ROWS, table, tiledNormals } from './case.js';
import { perRow } from './planar.js';

/** z0, alpha, beta. */
export const ballParameters = (random: Random, features: number): Float32Array<ArrayBuffer> =>
  Float32Array.of(...random.normals(features), (random.uniform() < 0.5 ? -1 : 1) * (0.2 + random.uniform()), random.normal());

interface Shape {
  readonly features: number;
  readonly rows?: number;
  readonly undo?: boolean;
  readonly perRow?: boolean;
  readonly softplus?: boolean;
  readonly logDet?: boolean;
}

const ball = ({ features, rows = 257, undo = false, perRow: each = false, softplus = false, logDet = true }: Shape) => ({
  name: [
    `${features} features, ${rows} rows`,
    ...(undo ? ['undone'] : []),
    ...(each ? ['parameters a row'] : []),
    ...(softplus ? ['softplus alpha'] : []),
    ...(logDet ? [] : ['no log-det']),
  ].join(', '),
  rows,
  params: { features, parameter_features: each ? features + 2 : 1 },
  constants: { PER_ROW: each, ALPHA_SOFTPLUS: softplus, UNDO: undo, HAS_LOG_DET: logDet },
  buffers: {
    x: tiledNormals(features),
    parameters: each
      ? perRow(features + 2, (random) => ballParameters(random, features))
      : table((random) => {
          const p = ballParameters(random, features);
          return packRadial(p.subarray(0, features), Math.abs(p[features]!), p[features + 1]!);
        }),
    y: tiledNormals(features),
    log_det: tiledNormals(1),
  },
  tolerance: { bound: 3e-6 },
});

const special = (undo: boolean) => ({
  ...ball({ features: 2, rows: 64, undo }),
  name: `at z0, far away, infinite, NaN${undo ? ', undone' : ''}`,
  buffers: {
    ...ball({ features: 2 }).buffers,
    x: {
      layout: 'tiled' as const,
      make: () => {
        const values = [0.5, 0.5 + 2 ** -20, 1e4, -1e10, 1e19, -1e25, 3e38, Number.POSITIVE_INFINITY, Number.NaN];
        return Float32Array.from({ length: 128 }, (_, at) => (at < 64 ? values[at % values.length]! : 0.25));
      },
    },
    parameters: table(() => packRadial(Float32Array.of(0.5, 0.25), 0.75, 0.3)),
  },
});

export const radialCases = defineCases(radial, [
  ...ROWS.map((rows) => ball({ features: 5, rows, undo: true })),
  ...[1, 2, 63].flatMap((features) => [ball({ features }), ball({ features, undo: true })]),
  ...[false, true].flatMap((undo) => [
    ball({ features: 5, rows: 1000, undo }),
    ball({ features: 5, undo, perRow: true }),
    ball({ features: 5, undo, perRow: true, softplus: true }),
    ball({ features: 2, undo, logDet: false }),
    special(undo),
  ]),
]);
