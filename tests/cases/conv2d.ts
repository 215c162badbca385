import { packConv } from '../../src/flows/conditioner/conv-net.js';
import { conv2d } from '../../src/kernels/conv2d.js';
import type { Random } from '../support/random.js';
import { defineCases, ROWS, table, tiledNormals, ULP, unread } from './case.js';

interface ConvShape {
  readonly inputs: number;
  readonly outputs: number;
  readonly height?: number;
  readonly width?: number;
  readonly kernel?: number;
  readonly rows?: number;
  /** Slope below zero: 1 is the identity. Default 1. */
  readonly slope?: number;
  readonly reads?: number;
  readonly writes?: number;
  /** Channels of a pixel side by side in x, in y. Default false: pixels of a channel. */
  readonly minor?: readonly [x: boolean, y: boolean];
  /** Features before and after x and y in their tensors. Default 0. */
  readonly at?: number;
  readonly addend?: boolean;
  readonly center?: boolean;
}

/** A random layer, packed; a case takes weights and biases from two of them. */
const packed = (random: Random, { inputs, outputs, kernel = 3, center = false }: ConvShape) => {
  const taps = kernel * kernel * inputs;
  const weight = random.normals(outputs * taps, 1 / Math.sqrt(taps));
  const order = Uint32Array.from({ length: outputs }, (_, i) => i);
  return packConv(
    { inputs, outputs, kernel, weight, bias: random.normals(outputs), slope: 1, ...(center && { center: random.normals(inputs) }) },
    order,
  );
};

const layer = (shape: ConvShape) => {
  const { inputs, outputs, height = 4, width = 4, kernel = 3, rows = 257, slope = 1, reads = 0, writes = 0, at = 0 } = shape;
  const { minor: [xMinor, yMinor] = [false, false], addend = false, center = false } = shape;
  const area = height * width;
  const parity = (even: number, odd: number) => (writes === 1 ? even : writes === 2 ? odd : area);
  const written = width % 2 === 0 ? parity(area / 2, area / 2) : parity(Math.ceil(area / 2), Math.floor(area / 2));
  return {
    name: [
      `${inputs}→${outputs}`,
      `${height}×${width}`,
      `kernel ${kernel}`,
      `${rows} rows`,
      ...(slope === 1 ? [] : [`slope ${slope}`]),
      ...(reads ? [`reads ${reads}`] : []),
      ...(writes ? [`writes ${writes}`] : []),
      ...(xMinor ? ['x by pixel'] : []),
      ...(yMinor ? ['y by pixel'] : []),
      ...(at ? [`from ${at}`] : []),
      ...(addend ? ['addend'] : []),
      ...(center ? ['centered'] : []),
    ].join(', '),
    rows,
    params: {
      inputs,
      outputs,
      height,
      width,
      kernel,
      reads,
      writes,
      x_features: inputs * area + 2 * at,
      x_at: at,
      x_channel: xMinor ? 1 : area,
      x_pixel: xMinor ? inputs : 1,
      y_features: outputs * written + 2 * at,
      y_at: at,
      y_channel: yMinor ? 1 : written,
      y_pixel: yMinor ? outputs : 1,
      slope,
    },
    constants: { ADDEND: addend, CENTER: center },
    buffers: {
      x: tiledNormals(inputs * area + 2 * at),
      weight: table((random) => packed(random, shape).weight),
      bias: table((random) => packed(random, shape).bias),
      addend: addend ? tiledNormals(outputs) : unread,
      y: tiledNormals(outputs * written + 2 * at),
    },
    tolerance: { bound: (4 + (kernel * kernel * inputs) / 96) * ULP, of: 'inputs' as const },
  };
};

export const conv2dCases = defineCases(conv2d, [
  ...ROWS.map((rows) => layer({ inputs: 3, outputs: 13, rows, addend: true, slope: 0 })),
  ...[1, 2, 5, 63].map((inputs) => layer({ inputs, outputs: 9, minor: [true, false] })),
  ...[1, 2, 8, 33].map((outputs) => layer({ inputs: 4, outputs, minor: [false, true], rows: 66 })),
  ...[1, 5].map((kernel) => layer({ inputs: 5, outputs: 9, kernel })),
  ...[
    [1, 1],
    [1, 2],
    [3, 3],
    [2, 7],
    [5, 4],
  ].flatMap(([height, width]) => [
    layer({ inputs: 3, outputs: 4, height: height!, width: width! }),
    ...(height! * width! > 1
      ? [1, 2].map((reads) => layer({ inputs: 3, outputs: 4, height: height!, width: width!, reads, writes: 3 - reads, rows: 66 }))
      : []),
  ]),
  layer({ inputs: 24, outputs: 9, kernel: 1 }),
  layer({ inputs: 25, outputs: 9, kernel: 1, minor: [true, true], at: 3, slope: 0.1, addend: true, rows: 1000 }),
  layer({ inputs: 3, outputs: 12, at: 5, slope: 0.01 }),
  layer({ inputs: 26, outputs: 9, height: 3, width: 3, kernel: 1, center: true }),
]);
