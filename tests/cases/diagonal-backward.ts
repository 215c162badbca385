import { diagonal, MAP_NUMBER } from '../../src/kernels/diagonal-backward.js';
import { defineCases, ROWS, table, tiledNormals, ULP } from './case.js';

const normals = (length: number, scale = 1) => table((random) => random.normals(length, scale));
const positive = (length: number) => table((random) => random.normals(length).map((value) => Math.exp(value)));
const zeros = (length: number) => table(() => new Float32Array(length));
const maps = Object.entries(MAP_NUMBER) as [keyof typeof MAP_NUMBER, number][];
const SETTING = { identity: 0, softplus: 1e-3, softclip: 3 } as const;

/** The factor in float64 is one number, in float32 two: their sum is compared where it is used, here the leading part alone. */
export const diagonalConstantsCases = defineCases(
  diagonal.constants,
  maps.flatMap(([map, MAP]) =>
    [1, 5, 200].map((features) => ({
      name: `${features} features, ${map}`,
      rows: 1,
      params: { features, sign: features === 5 ? -1 : 1, setting: SETTING[map] },
      constants: { MAP },
      buffers: {
        center: normals(features),
        raw: normals(features, 0.3),
        offset: normals(features, 0.1),
        shift: normals(features),
        constants: zeros(4 * features),
        log_det: zeros(4),
      },
      // The leading part has 12 bits of a factor up to 8, and the remainder is 0 in the twin.
      tolerance: { bound: 2 ** -8 },
    })),
  ),
);

export const diagonalConstantsBackwardCases = defineCases(
  diagonal.constantsBackward,
  maps.flatMap(([map, MAP]) =>
    [1, 5, 200].map((features) => ({
      name: `${features} features, ${map}`,
      rows: 1,
      params: { features, sign: features === 5 ? -1 : 1, setting: SETTING[map] },
      constants: { MAP },
      buffers: {
        raw: normals(features),
        made: positive(4 * features),
        d_constants: normals(4 * features),
        d_log_det: normals(4),
        d_center: normals(features),
        d_raw: normals(features),
        d_offset: normals(features),
        d_shift: normals(features),
      },
      tolerance: { bound: 16 * ULP },
    })),
  ),
);

const gradient = (features: number, rows: number) => ({
  name: `${features} features, ${rows} rows`,
  rows,
  params: { features, sign: 1, setting: 0 },
  buffers: { source: tiledNormals(features), made: positive(4 * features), d_z: tiledNormals(features), gradient: zeros(4 * features) },
  tolerance: { bound: 1e-4 },
});

export const diagonalGradientCases = defineCases(diagonal.gradient, [
  ...ROWS.map((rows) => gradient(5, rows)),
  ...[1, 2, 63].map((features) => gradient(features, 257)),
]);

const marks = (length: number) => table((random) => Float32Array.from({ length }, () => Math.round(random.uniform())));
const ofEntries = (features: number, map: keyof typeof MAP_NUMBER, MAP: number) => ({
  name: `${features} entries, ${map}`,
  rows: 1,
  params: { features, sign: 1, setting: SETTING[map] },
  constants: { MAP },
  tolerance: { bound: 16 * ULP },
});

export const diagonalEntriesCases = defineCases(
  diagonal.entries,
  maps.flatMap(([map, MAP]) =>
    [1, 5, 200].map((features) => ({
      ...ofEntries(features, map, MAP),
      buffers: { raw: normals(features), on: marks(features), entries: normals(features) },
    })),
  ),
);

export const diagonalEntriesBackwardCases = defineCases(
  diagonal.entriesBackward,
  maps.flatMap(([map, MAP]) =>
    [1, 5, 200].map((features) => ({
      ...ofEntries(features, map, MAP),
      buffers: { raw: normals(features), on: marks(features), d_entries: normals(features), d_raw: normals(features) },
    })),
  ),
);

const ofProduct = (features: number) => ({
  name: `${features} features`,
  rows: 1,
  params: { features, sign: 1, setting: 0 },
});

export const diagonalProductCases = defineCases(
  diagonal.product,
  [1, 5, 200].map((features) => ({
    ...ofProduct(features),
    buffers: {
      center: normals(features),
      raw: normals(features),
      offset: positive(features),
      shift: normals(features),
      constants: zeros(4 * features),
    },
    // As above, of a factor up to 50: the leading part, and a remainder that is 0 in the twin.
    tolerance: { bound: 2 ** -6 },
  })),
);

export const diagonalProductBackwardCases = defineCases(
  diagonal.productBackward,
  [1, 5, 200].map((features) => ({
    ...ofProduct(features),
    buffers: {
      raw: normals(features),
      offset: positive(features),
      d_constants: normals(4 * features),
      d_center: normals(features),
      d_raw: normals(features),
      d_offset: normals(features),
      d_shift: normals(features),
    },
    tolerance: { bound: 4 * ULP },
  })),
);
