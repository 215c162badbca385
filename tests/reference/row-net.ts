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

export class RowNet {
  /** Slopes of the last values, by the feature that they lie at in the kernel. */
  readonly #slopes = new Map<number, number[]>();

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

  /** @param begin the first of the layers: those of the transposed network lie behind the others. */
  tangents(t: readonly number[], begin = 0): number[] {
    return this.#evaluate(t, true, begin);
  }

  /** By the slopes before the first layer. */
  scaled(t: readonly number[]): number[] {
    const { layers } = this.tables;
    return layers[5] === 1 ? t.map((value, i) => value * this.#slopes.get(layers[4]!)![i]!) : [...t];
  }

  #evaluate(from: readonly number[], tangent: boolean, begin = 0): number[] {
    const { weight, bias, layers } = this.tables;
    let h = [...from];
    for (let layer = begin; layer < begin + this.count; layer++) {
      const [inputs, outputs, weightAt, biasAt, slopeAt, active, betaAt] = layers.subarray(layer * LAYER_WORDS, (layer + 1) * LAYER_WORDS);
      const beta = bias[betaAt!]!;
      if (active === 1 && tangent) h = h.map((value, i) => value * this.#slopes.get(slopeAt!)![i]!);
      else if (active === 1) {
        this.#slopes.set(
          slopeAt!,
          h.map((value) => (Number.isNaN(value) ? value : slopeOf(this.kind, value, beta))),
        );
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
