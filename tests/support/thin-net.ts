// Layers of a thin net, packed into one buffer as src/tuning/fuse-thin-nets.ts packs them: each at a multiple of 64 numbers.

import { packLinear } from '../../src/kernels/linear-strips.js';
import { sliced } from '../../src/runtime/tensor.js';
import { packForQuads } from '../../src/tuning/quad-layers.js';
import { table, tiledNormals } from '../cases/case.js';
import type { Random } from './random.js';

export interface ThinShape {
  /** Features of a layer in front, and of one behind; 0 without. */
  readonly front: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly back: number;
  readonly rows?: number;
  /** Features in front of x, and of y, in their tensors. */
  readonly at?: number;
  /** Whether what the layers between give is written. */
  readonly keeps?: boolean;
  /** Whether the wide layer's weights are packed for quads. */
  readonly packs?: boolean;
}

const MOST = 4;
/** Weights and biases of a packed layer. */
const lengthsOf = (inputs: number, outputs: number) => {
  const padded = 8 * Math.ceil(outputs / 8);
  return [sliced(padded * 4 * Math.ceil(inputs / 4)), sliced(3 * padded)] as const;
};

/** What a case of either direction shares. @param turned whether weights are those of the layers whose outputs come in. */
export function thinNetCall({ front, inputs, outputs, back, rows = 257, at = 0, keeps = true, packs = false }: ThinShape, turned: boolean) {
  const sizes = [front ? [front, inputs] : null, [inputs, outputs], back ? [outputs, back] : null].map(
    (size) => size && ((turned ? size.toReversed() : size) as [number, number]),
  );
  const starts: number[] = [];
  let length = 0;
  for (const size of sizes)
    for (const part of size ? lengthsOf(...size) : [0, 0]) {
      starts.push(length / 4);
      length += part;
    }
  const weights = (random: Random): Float32Array<ArrayBuffer> => {
    const all = new Float32Array(length);
    for (const [index, size] of sizes.entries()) {
      if (!size) continue;
      const [from, to] = size;
      const weight = random.normals(from * to, 1 / Math.sqrt(turned ? to : from));
      const packed = packLinear({ weight, inputs: from, bias: random.normals(to) });
      all.set(packs && index === 1 ? packForQuads(packed.weight, from, to) : packed.weight, 4 * starts[2 * index]!);
      all.set(packed.bias, 4 * starts[2 * index + 1]!);
    }
    return all;
  };
  return {
    name: [
      [front, inputs, outputs, back].filter(Boolean).join('→'),
      `${rows} rows`,
      ...(at ? [`from ${at}`] : []),
      ...(keeps ? [] : ['nothing kept']),
      ...(packs ? ['packed'] : []),
    ].join(', '),
    rows,
    params: {
      inputs,
      outputs,
      x_features: (front || inputs) + 2 * at,
      x_at: at,
      y_features: (back || MOST) + 2 * at,
      y_at: at,
      front_weight: starts[0]!,
      front_bias: starts[1]!,
      wide_weight: starts[2]!,
      wide_bias: starts[3]!,
      back_weight: starts[4]!,
      back_bias: starts[5]!,
      front,
      back,
      features: 0,
      slots: 0,
      read_places: 0,
      left_places: 0,
    },
    constants: { KEEP_FRONT: keeps && front > 0, KEEP_WIDE: keeps || back === 0, ...(!turned && { PACKED: packs }) },
    buffers: {
      x: tiledNormals((front || inputs) + 2 * at),
      weight: table(weights),
      front: tiledNormals(inputs),
      wide: tiledNormals(outputs),
      y: tiledNormals((back || MOST) + 2 * at),
    },
  };
}

/** Shapes that both directions are compared on: ragged in every way, each end missing, 64 inputs and 128 outputs at most. */
export const thinShapes = (rows: readonly number[]): ThinShape[] => [
  ...rows.map((count) => ({ front: 2, inputs: 20, outputs: 30, back: 2, rows: count })),
  ...[1, 3, 4].map((thin) => ({ front: thin, inputs: 9, outputs: 7, back: thin })),
  { front: 2, inputs: 64, outputs: 64, back: 2 },
  { front: 2, inputs: 61, outputs: 125, back: 0 },
  { front: 0, inputs: 63, outputs: 128, back: 3 },
  { front: 1, inputs: 33, outputs: 34, back: 4, at: 2 },
  { front: 2, inputs: 20, outputs: 30, back: 1, keeps: false },
  { front: 0, inputs: 20, outputs: 30, back: 1, keeps: false, at: 3 },
];
