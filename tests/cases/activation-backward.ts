import { SLOPE_NUMBER } from '../../src/kernels/activation.js';
import { activationBackward, VALUE_NUMBER } from '../../src/kernels/activation-backward.js';
import { defineCases, ROWS, table, tiledNormals, unread } from './case.js';

type Kind = keyof typeof SLOPE_NUMBER;

interface Options {
  readonly features?: number;
  readonly rows?: number;
  readonly scale?: number;
  readonly value?: boolean;
  readonly slope?: boolean;
  readonly beta?: boolean;
  readonly add?: boolean;
  readonly fromValue?: boolean;
}

const backward = (
  kind: Kind,
  { features = 5, rows = 257, scale = 2, value = true, slope = true, beta = false, add = false, fromValue = false }: Options = {},
) => ({
  name: `${kind}, ${features} features, ${rows} rows, inputs of ${scale}${value ? '' : ', no value'}${slope ? '' : ', no slope'}${beta ? ', beta' : ''}${add ? ', added' : ''}${fromValue ? ', from values' : ''}`,
  rows,
  params: { features },
  constants: { ACTIVATION: SLOPE_NUMBER[kind], HAS_VALUE: value, HAS_SLOPE: slope, HAS_BETA: beta, ADD: add, FROM_VALUE: fromValue },
  buffers: {
    source: tiledNormals(features, scale),
    beta: kind === 'lipswish' ? table(() => Float32Array.of(0.7)) : unread,
    d_value: value ? tiledNormals(features) : unread,
    d_slope: slope ? tiledNormals(features) : unread,
    d_source: tiledNormals(features),
    d_beta: tiledNormals(features),
  },
  tolerance: { bound: 1e-6 },
  ...(!beta && { scratch: ['d_beta'] }),
});

export const activationBackwardCases = defineCases(activationBackward, [
  ...ROWS.map((rows) => backward('tanh', { rows })),
  ...[1, 2, 63].map((features) => backward('silu', { features })),
  ...(Object.keys(SLOPE_NUMBER) as Kind[]).flatMap((kind) => [backward(kind), backward(kind, { scale: 100 })]),
  ...(Object.keys(VALUE_NUMBER) as Kind[]).map((kind) => backward(kind, { slope: false, fromValue: true, scale: 0.7 })),
  ...ROWS.map((rows) => backward('relu', { slope: false, fromValue: true, rows })),
  backward('softplus', { value: false, add: true }),
  backward('tanh', { slope: false, add: true }),
  backward('lipswish', { beta: true }),
  backward('lipswish', { beta: true, slope: false, add: true }),
  backward('lipswish', { beta: true, value: false, scale: 20 }),
]);
