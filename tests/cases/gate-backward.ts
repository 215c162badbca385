import { gate, gateSums } from '../../src/kernels/gate-backward.js';
import { defineCases, ROWS, table, tiledNormals, ULP } from './case.js';

interface Options {
  readonly features?: number;
  readonly blocks?: number;
  readonly rows?: number;
  readonly at?: number;
  readonly shift?: boolean;
  readonly add?: boolean;
}

const shape = ({ features = 5, blocks = 1, rows = 257, at = 0, shift = false, add = false }: Options) => ({
  name: `${blocks} × ${features} features, ${rows} rows${at > 0 ? ', slices' : ''}${shift ? ', shifted' : ''}${add ? ', added' : ''}`,
  rows,
  params: {
    features,
    blocks,
    x_features: blocks * features + at,
    x_at: at,
    y_features: blocks * features + 2 * at,
    y_at: 2 * at,
    scale_at: 8,
    shift_at: 8 + features,
  },
});

const numbers = (features: number) => table((random) => random.normals(8 + 2 * features));

const gateOf = (options: Options) => {
  const { features = 5, blocks = 1, at = 0, shift = false, add = false } = options;
  return {
    ...shape(options),
    constants: { SHIFT: shift, ADD: add },
    buffers: { x: tiledNormals(blocks * features + at), table: numbers(features), y: tiledNormals(blocks * features + 2 * at) },
    tolerance: { bound: 2 * ULP, of: 'inputs' as const },
  };
};

const sumsOf = (options: Options) => {
  const { features = 5, blocks = 1, rows = 257, at = 0, shift = false } = options;
  return {
    ...shape(options),
    constants: { SHIFT: shift },
    buffers: {
      x: tiledNormals(blocks * features + at),
      d_y: tiledNormals(blocks * features + 2 * at),
      d_table: numbers(features),
    },
    tolerance: { bound: (16 * blocks + rows / 64) * ULP, of: 'inputs' as const },
  };
};

const options: readonly Options[] = [
  ...ROWS.map((rows) => ({ rows, shift: true })),
  ...[1, 2, 63].map((features) => ({ features, blocks: 3 })),
  { at: 3, blocks: 2 },
  { at: 3, shift: true },
];

export const gateCases = defineCases(gate, [...options.map(gateOf), gateOf({ add: true, blocks: 2 }), gateOf({ add: true, shift: true })]);

export const gateSumsCases = defineCases(gateSums, options.map(sumsOf));
