// What the two kernels of a residual layer read besides the data: the network as tables (shaders/lib/row-net.wgsl), and the coefficients
// of a log-det series (shaders/residual-series.wgsl).

import { SLOPE_NUMBER } from '../../kernels/activation.js';
import { LAYER_WORDS } from '../../kernels/residual-solve.js';
import { type ConstantTensor, sliced } from '../../runtime/tensor.js';
import type { MlpPlan } from '../conditioner/tangents.js';

/** One of the tables that another holds one after another. */
interface Piece extends Pick<ConstantTensor, 'data' | 'origin'> {
  readonly from: number;
}

export interface RowNet {
  readonly weight: Float32Array<ArrayBuffer>;
  /** Of the weights: those of each layer. */
  readonly weights: readonly Piece[];
  readonly bias: Float32Array<ArrayBuffer>;
  /** Of the biases: those of each layer, and the betas of lipswish. */
  readonly biases: readonly Piece[];
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
  const [weights, biases] = [new Pieces(), new Pieces()];
  let slopeAt = 2 * width + dim;
  for (const [index, { layer, packed, beta }] of plan.entries()) {
    const active = layer.activation !== 'identity';
    const [weightAt, biasAt] = [weights.add(packed.weight, packed.origin), biases.add(packed.bias)];
    const betaAt = layer.activation === 'lipswish' ? biases.add(beta, layer.betaOrigin) : biasAt;
    layers.set([layer.inputs, layer.outputs, weightAt / 4, biasAt, slopeAt, active ? 1 : 0, betaAt], index * LAYER_WORDS);
    if (active) slopeAt += layer.inputs;
  }
  const [kind = 'identity'] = kinds;
  return {
    weight: weights.joined(),
    weights: weights.all,
    bias: biases.joined(),
    biases: biases.all,
    layers,
    activation: SLOPE_NUMBER[kind],
    width,
    slopeFeatures: slopeAt - 2 * width - dim,
  };
}

/** Tables one after another, each from a multiple of SLICE on. */
class Pieces {
  readonly all: Piece[] = [];
  #length = 0;

  /** @returns where it lies. */
  add(data: Float32Array<ArrayBuffer>, origin?: ConstantTensor['origin']): number {
    const from = this.#length;
    this.all.push({ from, data, ...(origin && { origin }) });
    this.#length += sliced(data.length);
    return from;
  }

  joined(): Float32Array<ArrayBuffer> {
    const joined = new Float32Array(this.#length);
    for (const { from, data } of this.all) joined.set(data, from);
    return joined;
  }
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
