import { diagonalAffine } from '../../src/kernels/diagonal-affine.js';
import { defineCases, ROWS, table, tiledNormals } from './case.js';

const constants = (features: number) =>
  table((random) => {
    const data = new Float32Array(4 * features);
    const bits = new Uint32Array(data.buffer);
    for (let f = 0; f < features; f++) {
      const factor = Math.exp(2 * random.normal());
      data[f] = random.normal();
      data[features + f] = factor;
      bits[features + f]! &= 0xfffff000;
      data[2 * features + f] = factor - data[features + f]!;
      data[3 * features + f] = random.normal();
    }
    return data;
  });

const SPECIAL = [Infinity, -Infinity, NaN, 1e30, -1e30, 0];

const scaling = (features: number, rows: number) => ({
  name: `${features} features, ${rows} rows`,
  rows,
  params: { features },
  buffers: { x: tiledNormals(features), constants: constants(features), y: tiledNormals(features) },
  tolerance: { bound: 4e-7 },
});

export const diagonalAffineCases = defineCases(diagonalAffine, [
  ...ROWS.map((rows) => scaling(5, rows)),
  ...[1, 2, 63].map((features) => scaling(features, 257)),
  {
    ...scaling(4, 64),
    name: 'infinities, NaN and the largest numbers',
    buffers: {
      ...scaling(4, 64).buffers,
      x: { layout: 'tiled', make: () => Float32Array.from({ length: 256 }, (_, i) => SPECIAL[i % SPECIAL.length]!) },
    },
  },
]);
