import { packLinear } from '../../src/flows/conditioner/packing.js';
import { ACTIVATION_NUMBER, type Activation } from '../../src/kernels/activation.js';
import { maskedLinear } from '../../src/kernels/masked-linear.js';
import type { Random } from '../support/random.js';
import { type BufferSpec, defineCases, ROWS, table, tiledNormals, ULP, unread } from './case.js';

interface LinearShape {
  readonly inputs: number;
  readonly outputs: number;
  readonly rows?: number;
  /** A band along the diagonal: strips read runs of inputs that begin and end inside. Default: dense. */
  readonly masked?: boolean;
  /** First outputs that read nothing, where masked. Default 0. */
  readonly closed?: number;
  /** Inputs that come before x and outputs that come before y in their tensors. Default 0. */
  readonly at?: number;
  readonly activation?: Activation;
  readonly flags?: readonly ('GATE' | 'ADDEND' | 'RAW' | 'SCALE')[];
  readonly scale?: number;
  /** Inputs, and outputs, side by side. Default 1. */
  readonly blocks?: number;
}

/** A random layer, packed. A case takes weights, biases and ranges from three of them: what they share, the mask, is not random. */
export function packed(random: Random, { inputs, outputs, masked = false, closed = 0 }: LinearShape) {
  const mask = masked
    ? Uint8Array.from({ length: inputs * outputs }, (_, at) => {
        const [o, k] = [Math.floor(at / inputs), at % inputs];
        return o >= closed && k / inputs <= o / outputs && k / inputs > o / outputs - 0.5 ? 1 : 0;
      })
    : null;
  const order = (count: number) => Uint32Array.from({ length: count }, (_, i) => i);
  const norm = {
    scale: Float64Array.from(random.normals(outputs), (v) => 1 + 0.2 * v),
    shift: Float64Array.from(random.normals(outputs)),
  };
  const weight = random.normals(inputs * outputs, 1 / Math.sqrt(inputs));
  return packLinear({ weight, mask, bias: random.normals(outputs), inputs, norm }, order(outputs), order(inputs));
}

const layer = (shape: LinearShape) => {
  const { inputs, outputs, rows = 257, at = 0, activation = 'identity', flags = [], blocks = 1 } = shape;
  const has = (flag: 'GATE' | 'ADDEND' | 'RAW' | 'SCALE') => flags.includes(flag);
  const tensor = (used: boolean, features: number): BufferSpec => (used ? tiledNormals(features) : unread);
  return {
    name: [
      `${inputs}→${outputs}`,
      `${rows} rows`,
      activation,
      ...flags,
      ...(shape.masked ? ['masked'] : []),
      ...(shape.closed ? [`${shape.closed} closed`] : []),
      ...(at ? [`from ${at}`] : []),
      ...(blocks > 1 ? [`${blocks} blocks`] : []),
    ].join(', '),
    rows,
    params: {
      inputs,
      outputs,
      x_features: blocks * inputs + 2 * at,
      x_at: at,
      addend_features: outputs + at,
      addend_at: at,
      gate_features: outputs + 2 * at,
      gate_at: 2 * at,
      y_features: blocks * outputs + 2 * at,
      y_at: at,
      raw_features: outputs,
      blocks,
    },
    constants: {
      ACTIVATION: ACTIVATION_NUMBER[activation],
      GATE: has('GATE'),
      ADDEND: has('ADDEND'),
      RAW: has('RAW'),
      SCALE: has('SCALE'),
    },
    buffers: {
      x: tiledNormals(blocks * inputs + 2 * at, shape.scale),
      weight: table((random) => packed(random, shape).weight),
      bias: table((random) => packed(random, shape).bias),
      ranges: table((random) => packed(random, shape).ranges),
      addend: tensor(has('ADDEND'), outputs + at),
      gate: tensor(has('GATE'), outputs + 2 * at),
      y: tiledNormals(blocks * outputs + 2 * at),
      raw: tiledNormals(has('RAW') ? outputs : 1),
    },
    // The largest of 10^5 sums of random signs stays far below the bound of all signs alike, (24 + inputs / 24) ULP.
    tolerance: { bound: (4 + inputs / 96) * ULP, of: 'inputs' as const },
  };
};

const activations = Object.keys(ACTIVATION_NUMBER) as Activation[];
const flagSets = [
  ['GATE'],
  ['ADDEND'],
  ['RAW'],
  ['SCALE'],
  ['GATE', 'ADDEND'],
  ['ADDEND', 'RAW', 'SCALE'],
  ['GATE', 'ADDEND', 'RAW', 'SCALE'],
] as const;

export const maskedLinearCases = defineCases(maskedLinear, [
  ...ROWS.map((rows) => layer({ inputs: 7, outputs: 13, rows })),
  ...[
    [1, 1],
    [2, 8],
    [64, 96],
    [130, 5],
    [23, 9],
    [24, 9],
    [25, 9],
    [512, 40],
  ].map(([inputs, outputs]) => layer({ inputs: inputs!, outputs: outputs! })),
  ...activations.flatMap((activation) => [
    layer({ inputs: 7, outputs: 13, activation }),
    layer({ inputs: 7, outputs: 13, activation, scale: 20 }),
  ]),
  ...flagSets.map((flags) => layer({ inputs: 7, outputs: 13, activation: 'relu', flags })),
  ...[7, 64, 130].map((inputs) => layer({ inputs, outputs: 70, masked: true })),
  // Whole chunks of a quad's inputs, of which a later block of outputs reads the end.
  ...[40, 192].map((inputs) => layer({ inputs, outputs: 300, masked: true })),
  layer({ inputs: 30, outputs: 40, masked: true, closed: 10 }),
  layer({ inputs: 30, outputs: 20, masked: true, closed: 20 }),
  layer({ inputs: 30, outputs: 21, masked: true, at: 3, activation: 'tanh', flags: ['GATE', 'ADDEND', 'RAW', 'SCALE'], rows: 1000 }),
  // Few outputs of many inputs.
  ...[3, 4].map((outputs) => layer({ inputs: 70, outputs, masked: true, rows: 1000 })),
  layer({ inputs: 30, outputs: 2, blocks: 3, at: 3 }),
  layer({ inputs: 7, outputs: 13, blocks: 3 }),
  layer({ inputs: 30, outputs: 21, blocks: 5, at: 3, rows: 1000 }),
]);
