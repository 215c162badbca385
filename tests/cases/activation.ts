import { activation, SLOPE_NUMBER } from '../../src/kernels/activation.js';
import { defineCases, ROWS, table, tiledNormals, unread } from './case.js';

type Kind = keyof typeof SLOPE_NUMBER;

const activate = (kind: Kind, options: { features?: number; rows?: number; scale?: number; value?: boolean; slope?: boolean } = {}) => {
  const { features = 5, rows = 257, scale = 2, value = true, slope = true } = options;
  return {
    name: `${kind}, ${features} features, ${rows} rows, inputs of ${scale}${value ? '' : ', no value'}${slope ? '' : ', no slope'}`,
    rows,
    params: { features },
    constants: { ACTIVATION: SLOPE_NUMBER[kind], HAS_VALUE: value, HAS_SLOPE: slope },
    buffers: {
      source: tiledNormals(features, scale),
      value: tiledNormals(features),
      slope: tiledNormals(features),
      beta: kind === 'lipswish' ? table(() => Float32Array.of(0.7)) : unread,
    },
    tolerance: { bound: 5e-7 },
  };
};

export const activationCases = defineCases(activation, [
  ...ROWS.map((rows) => activate('tanh', { rows })),
  ...[1, 2, 63].map((features) => activate('silu', { features })),
  ...(Object.keys(SLOPE_NUMBER) as Kind[]).flatMap((kind) => [activate(kind), activate(kind, { scale: 100 })]),
  activate('softplus', { value: false }),
  activate('lipswish', { slope: false }),
]);
