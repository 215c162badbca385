// Twin of shaders/lib/row-net.wgsl: the network of one row, and its tangents.

import { SLOPE_NUMBER } from '../../src/kernels/activation.js';
import { LAYER_WORDS } from '../../src/kernels/residual-solve.js';
import { activate, slopeOf } from './activation.js';
import { sigmoid } from './math.js';

const RUN = 24;

export interface RowNetTables {
  readonly weight: Float64Array;
  readonly bias: Float64Array;
  readonly layers: Uint32Array;
}

const floatOf = (bits: number): number => new Float32Array(Uint32Array.of(bits).buffer)[0]!;

export class RowNet {
  /** Slopes before each layer, of the last values. */
  readonly #slopes: number[][] = [];

  /** @param side what is added to the first layer's outputs, or null. */
  constructor(
    readonly tables: RowNetTables,
    readonly count: number,
    readonly kind: number,
    readonly side: ((output: number) => number) | null,
  ) {}

  values(x: readonly number[]): number[] {
    return this.#evaluate(x, false);
  }

  tangents(t: readonly number[]): number[] {
    return this.#evaluate(t, true);
  }

  #evaluate(from: readonly number[], tangent: boolean): number[] {
    const { weight, bias, layers } = this.tables;
    let h = [...from];
    for (let layer = 0; layer < this.count; layer++) {
      const [inputs, outputs, weightAt, biasAt, , active, betaBits] = layers.subarray(layer * LAYER_WORDS, (layer + 1) * LAYER_WORDS);
      const beta = floatOf(betaBits!);
      if (active === 1 && tangent) h = h.map((value, i) => value * this.#slopes[layer]![i]!);
      else if (active === 1) {
        this.#slopes[layer] = h.map((value) => (Number.isNaN(value) ? value : slopeOf(this.kind, value, beta)));
        h = h.map((value) => (this.kind === SLOPE_NUMBER.lipswish ? (value * sigmoid(beta * value)) / 1.1 : activate(this.kind, value)));
      }
      h = Array.from({ length: outputs! }, (_, o) => {
        const at = 4 * weightAt! + Math.floor(o / 8) * inputs! * 8 + (o % 8);
        let sum = 0;
        for (let start = 0; start < inputs!; start += RUN) {
          let part = 0;
          for (let k = start; k < Math.min(start + RUN, inputs!); k++) part += weight[at + 8 * k]! * h[k]!;
          sum += part;
        }
        return tangent ? sum : sum + bias[biasAt! + o]! + (layer === 0 && this.side ? this.side(o) : 0);
      });
    }
    return h;
  }
}
