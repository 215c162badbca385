// What the two kernels of a residual layer read besides the data: the network as tables (shaders/lib/row-net.wgsl), and the coefficients
// of a log-det series (shaders/residual-series.wgsl).

import { SLOPE_NUMBER } from '../../kernels/activation.js';
import { LAYER_WORDS } from '../../kernels/residual-solve.js';
import type { MlpPlan } from '../conditioner/tangents.js';

export interface RowNet {
  readonly weight: Float32Array<ArrayBuffer>;
  readonly bias: Float32Array<ArrayBuffer>;
  readonly layers: Uint32Array<ArrayBuffer>;
  /** Number of the one activation that its layers have. */
  readonly activation: number;
  /** Widest input or output of a layer. */
  readonly width: number;
  /** Features of the state that slopes take, from 2 width + dim on. */
  readonly slopeFeatures: number;
}

const bitsOf = (value: number): number => new Uint32Array(Float32Array.of(value).buffer)[0]!;

/** @throws RangeError where two layers have different activations: the kernels are specialised for one. */
export function planRowNet(plan: MlpPlan, dim: number): RowNet {
  const width = Math.max(...plan.map(({ layer }) => Math.max(layer.inputs, layer.outputs)));
  const kinds = new Set(plan.map(({ layer }) => layer.activation).filter((kind) => kind !== 'identity'));
  if (kinds.size > 1) throw new RangeError(`a residual layer needs one activation throughout; got ${[...kinds].join(', ')}`);
  const layers = new Uint32Array(plan.length * LAYER_WORDS);
  const weight = new Float32Array(plan.reduce((sum, { packed }) => sum + packed.weight.length, 0));
  const bias = new Float32Array(plan.reduce((sum, { layer }) => sum + layer.outputs, 0));
  let [weightAt, biasAt, slopeAt] = [0, 0, 2 * width + dim];
  for (const [index, { layer, packed }] of plan.entries()) {
    const active = layer.activation !== 'identity';
    layers.set([layer.inputs, layer.outputs, weightAt / 4, biasAt, slopeAt, active ? 1 : 0, bitsOf(layer.beta ?? 1)], index * LAYER_WORDS);
    weight.set(packed.weight, weightAt);
    if (layer.bias) bias.set(layer.bias, biasAt);
    weightAt += packed.weight.length;
    biasAt += layer.outputs;
    if (active) slopeAt += layer.inputs;
  }
  const [kind = 'identity'] = kinds;
  return { weight, bias, layers, activation: SLOPE_NUMBER[kind], width, slopeFeatures: slopeAt - 2 * width - dim };
}

/** How many terms of the series a row and probe count, at random: the number beyond those that always count. */
export type TermCount =
  | { readonly distribution: 'geometric' /** Chance to stop after each term. */; readonly rate: number }
  | { readonly distribution: 'poisson' /** Mean. */; readonly rate: number };

/** P(N >= n) for n = 1, 2, …; the geometric one starts at 1. */
function* survival({ distribution, rate }: TermCount): Generator<number> {
  let [chance, mass] = distribution === 'geometric' ? [1, 0] : [1 - Math.exp(-rate), rate * Math.exp(-rate)];
  for (let n = 1; ; n++) {
    yield chance;
    if (distribution === 'geometric') chance *= 1 - rate;
    else {
      chance -= mass; // of n
      mass *= rate / (n + 1);
    }
  }
}

/** A term that survives less often than this is not drawn: 2^8 of the 2^32 words. */
const RAREST = 2 ** -24;

/**
 * [terms, 2]: coefficient as float32 bits, largest random word that counts. Coefficients are divided by the chance that the rounded word
 * really gives, so rounding it leaves the estimate unbiased.
 *
 * @param terms most terms; fewer where the chance of one falls under 2^-24.
 * @param exact terms that always count; all of them without `count`.
 * @param divisor of all coefficients: the number of random probes, or 1.
 */
export function seriesTable(terms: number, exact: number, count: TermCount | null, divisor: number): Uint32Array<ArrayBuffer> {
  const words: number[] = [];
  const chances = count && survival(count);
  for (let k = 1; k <= terms; k++) {
    const chance = k <= exact || !chances ? 1 : (chances.next().value as number);
    if (chance < RAREST) break;
    const counted = Math.round(chance * 2 ** 32);
    words.push(bitsOf(((k % 2 === 1 ? 1 : -1) / (k * divisor)) * (2 ** 32 / counted)), counted - 1);
  }
  return Uint32Array.from(words);
}
