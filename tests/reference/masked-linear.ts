import * as source from '../../src/kernels/generated/masked-linear.js';
import * as quad from '../../src/kernels/generated/quad-linear.js';
import { activate } from './activation.js';
import { TILE, tiled } from './layout.js';
import { sigmoid } from './math.js';
import { defineTwin, type TwinCall } from './twin.js';

const RUN = 24;

/** Where the weight of output o and input k is, of `inputs`. */
type Place = (o: number, k: number, inputs: number) => number;

const layerWith =
  (place: Place) =>
  ({ buffers: { x, weight, bias, ranges, addend, gate, y, raw }, params, constants, rows }: TwinCall<typeof source.maskedLinear>): void => {
    const { inputs, outputs } = params;
    const padded = Math.ceil(outputs / 8) * 8;
    for (let row = 0; row < rows; row++)
      for (let block = 0; block < params.blocks; block++) {
        const at = tiled(params.x_features, row) + (params.x_at + block * inputs) * TILE;
        for (let o = 0; o < outputs; o++) {
          const strip = Math.floor(o / 8);
          const [first, last] = [ranges[strip * 2]!, ranges[strip * 2 + 1]!];
          let sum = 0;
          for (let start = first; start < last; start += RUN) {
            let part = 0;
            for (let k = start; k < Math.min(start + RUN, last); k++) part += weight[place(o, k, inputs)]! * x[at + k * TILE]!;
            sum += part;
          }
          let v = sum + bias[o]!;
          if (constants.GATE) v *= sigmoid(gate[tiled(params.gate_features, row) + (params.gate_at + o) * TILE]!);
          if (constants.ADDEND) v += addend[tiled(params.addend_features, row) + (params.addend_at + o) * TILE]!;
          if (constants.RAW) raw[tiled(params.raw_features, row) + o * TILE] = v;
          if (constants.SCALE) v = v * bias[padded + o]! + bias[2 * padded + o]!;
          y[tiled(params.y_features, row) + (params.y_at + block * outputs + o) * TILE] = activate(constants.ACTIVATION, v);
        }
      }
  };

export const maskedLinear = defineTwin(
  source.maskedLinear,
  layerWith((o, k, inputs) => (Math.floor(o / 8) * inputs + k) * 8 + (o % 8)),
);

export const quadLinear = defineTwin(
  quad.quadLinear,
  layerWith((o, k, inputs) => ((Math.floor(o / 4) * Math.ceil(inputs / 4) + Math.floor(k / 4)) * 4 + (o % 4)) * 4 + (k % 4)),
);
