import { VALUE_NUMBER } from '../../src/kernels/activation-backward.js';
import { linearInput } from '../../src/kernels/linear-input-backward.js';
import { turnedRanges } from '../../src/kernels/rules/masked-linear.js';
import type { Random } from '../support/random.js';
import { defineCases, ROWS, table, tiledNormals, ULP, unread } from './case.js';
import { packed } from './masked-linear.js';

interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  readonly rows?: number;
  readonly masked?: boolean;
  readonly at?: number;
  readonly blocks?: number;
  readonly add?: boolean;
  readonly activation?: keyof typeof VALUE_NUMBER;
  /** Strips, one after another, that read nothing. */
  readonly closed?: readonly number[];
}

/** The layer that the product turns round. */
const turnedLayer = (random: Random, { inputs, outputs, masked = false }: Layer) =>
  packed(random, { inputs: outputs, outputs: inputs, masked });

const product = ({ inputs, outputs, rows = 257, masked = false, at = 0, blocks = 1, closed = [], activation, add = false }: Layer) => ({
  name: `${inputs}→${outputs}, ${rows} rows${masked ? ', masked' : ''}${at ? `, from ${at}` : ''}${blocks > 1 ? `, ${blocks} blocks` : ''}${closed.length > 0 ? `, strips ${closed} closed` : ''}${activation ? `, ${activation}` : ''}${add ? ', added' : ''}`,
  rows,
  params: {
    inputs,
    outputs,
    x_features: blocks * inputs + 2 * at,
    x_at: at,
    y_features: blocks * outputs + 2 * at,
    y_at: at,
    blocks,
  },
  constants: { ACTIVATION: activation ? VALUE_NUMBER[activation] : 0, ADD: add },
  buffers: {
    x: tiledNormals(blocks * inputs + 2 * at),
    weight: table((random) => {
      const { weight } = turnedLayer(random, { inputs, outputs, masked });
      return weight.map((w, i) => (closed.includes(Math.floor((Math.floor(i / 8) % outputs) / 8)) ? 0 : w));
    }),
    ranges: table((random) =>
      turnedRanges(turnedLayer(random, { inputs, outputs, masked }).ranges, outputs, inputs).map((end, i) =>
        closed.includes(i >> 1) ? 0 : end,
      ),
    ),
    y: tiledNormals(blocks * outputs + 2 * at),
    source: activation ? tiledNormals(outputs, 0.25) : unread,
  },
  // As for masked-linear: random signs stay far below (4 + inputs / 4) ULP. A slope, up to 2 here, has two roundings of its own.
  tolerance: { bound: ((activation ? 12 : 4) + inputs / 96) * ULP, of: 'inputs' as const },
});

export const linearInputCases = defineCases(linearInput, [
  ...ROWS.map((rows) => product({ inputs: 12, outputs: 20, rows })),
  ...[1, 2, 3, 5, 63].map((inputs) => product({ inputs, outputs: 17 })),
  ...[1, 2, 5, 8, 9, 63].map((outputs) => product({ inputs: 6, outputs })),
  product({ inputs: 40, outputs: 70, masked: true }),
  product({ inputs: 70, outputs: 40, masked: true }),
  ...[40, 192].map((inputs) => product({ inputs, outputs: 300, masked: true })),
  ...[3, 4].map((outputs) => product({ inputs: 70, outputs, masked: true })),
  product({ inputs: 10, outputs: 12, at: 3 }),
  product({ inputs: 10, outputs: 12, at: 2, blocks: 3 }),
  ...[3, 12, 70].map((outputs) => product({ inputs: 70, outputs, at: 3, add: true })),
  product({ inputs: 10, outputs: 40, closed: [0, 3, 4] }),
  product({ inputs: 10, outputs: 40, closed: [2, 3] }),
  // All slopes are one function, and cases of activation-backward; each compiles for a second and more here.
  ...(['relu', 'elu'] as const).map((activation) => product({ inputs: 20, outputs: 21, activation })),
]);
