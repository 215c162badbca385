import { defineRule } from '../runtime/derivative.js';
import { ceilDiv } from '../runtime/kernel.js';
import { NONE } from '../runtime/tensor.js';
import { accumulate } from './accumulate.js';
import * as source from './generated/masked-linear.js';
import { tileKernel } from './geometry.js';
import { columnSums, weightGradient } from './linear-backward.js';
import { recordGather } from './parameters.js';
import { permute } from './permute.js';

/** Outputs that one invocation computes; weights are packed in strips of as many. */
export const STRIP = 8;

export interface PackedLinear {
  readonly inputs: number;
  readonly outputs: number;
  /** [ceil(outputs / 8), inputs, 8]. */
  readonly weight: Float32Array<ArrayBuffer>;
  /** [3, 8 ceil(outputs / 8)]: bias, norm scale, norm shift. */
  readonly bias: Float32Array<ArrayBuffer>;
  /** [ceil(outputs / 8), 2]: first input, and one past the last, that a strip's masks let through. */
  readonly ranges: Uint32Array<ArrayBuffer>;
}

export interface LinearSource {
  /** [outputs, inputs], row-major. */
  readonly weight: Float32Array;
  readonly mask?: Uint8Array | null;
  readonly bias?: Float32Array | null;
  readonly inputs: number;
  readonly norm?: { readonly scale: Float64Array; readonly shift: Float64Array } | null;
}

/**
 * Packs rows `outputOrder` of a linear layer, reading its inputs in the order `inputOrder`. Both default to the order that they have.
 *
 * @param outputOrder source row of each packed output; −1 for a padding row of zeros.
 * @param inputOrder source column of each packed input.
 */
export function packLinear(
  source: LinearSource,
  outputOrder: ArrayLike<number> = identityOrder(source.weight.length / source.inputs),
  inputOrder: ArrayLike<number> = identityOrder(source.inputs),
): PackedLinear {
  const outputs = outputOrder.length;
  const inputs = inputOrder.length;
  const strips = Math.ceil(outputs / STRIP);
  const weight = new Float32Array(strips * inputs * STRIP);
  const bias = new Float32Array(3 * strips * STRIP);
  const ranges = new Uint32Array(strips * 2);
  for (let strip = 0; strip < strips; strip++) {
    let begin = inputs;
    let end = 0;
    for (let lane = 0; lane < STRIP; lane++) {
      const packed = strip * STRIP + lane;
      const row = packed < outputs ? outputOrder[packed]! : -1;
      if (row < 0) continue;
      bias[packed] = source.bias?.[row] ?? 0;
      bias[strips * STRIP + packed] = source.norm?.scale[row] ?? 1;
      bias[2 * strips * STRIP + packed] = source.norm?.shift[row] ?? 0;
      for (let k = 0; k < inputs; k++) {
        const at = row * source.inputs + inputOrder[k]!;
        if (source.mask?.[at] === 0) continue;
        weight[(strip * inputs + k) * STRIP + lane] = source.weight[at]!;
        if (k < begin) begin = k;
        if (k + 1 > end) end = k + 1;
      }
    }
    ranges[strip * 2] = Math.min(begin, end);
    ranges[strip * 2 + 1] = end;
  }
  return { inputs, outputs, weight, bias, ranges };
}

export const identityOrder = (count: number): Uint32Array<ArrayBuffer> => Uint32Array.from({ length: count }, (_, i) => i);

interface Transposition {
  /** Where each packed weight of the transposed layer lies among those of the layer; 0 for padding, else 1 + index. */
  readonly place: Uint32Array<ArrayBuffer>;
  readonly ranges: Uint32Array<ArrayBuffer>;
  /** Zeros: a place without a weight, and the bias of a layer that has none. */
  readonly zeros: Float32Array<ArrayBuffer>;
}

const transpositions = new WeakMap<Float32Array | Uint32Array, Transposition>();

/** The layer turned round, from the runs of inputs of its strips: a strip of 8 inputs reads the outputs of every strip that reads it. */
function transposition(ranges: Float32Array | Uint32Array, inputs: number, outputs: number): Transposition {
  const known = transpositions.get(ranges);
  if (known) return known;
  const strips = ceilDiv(inputs, STRIP);
  const place = new Uint32Array(strips * outputs * STRIP);
  const back = new Uint32Array(2 * strips);
  for (let strip = 0; strip < strips; strip++) {
    const [low, high] = [strip * STRIP, Math.min((strip + 1) * STRIP, inputs)];
    for (let o = 0; o < outputs; o++) {
      const from = Math.floor(o / STRIP);
      if (ranges[2 * from]! >= high || ranges[2 * from + 1]! <= low) continue;
      if (back[2 * strip + 1] === 0) back[2 * strip] = o;
      back[2 * strip + 1] = o + 1;
      for (let k = low; k < high; k++) place[(strip * outputs + o) * STRIP + (k % STRIP)] = 1 + (from * inputs + k) * STRIP + (o % STRIP);
    }
  }
  const turned = { place, ranges: back, zeros: new Float32Array(Math.max(place.length, 3 * strips * STRIP)) };
  transpositions.set(ranges, turned);
  return turned;
}

export const maskedLinear = /*#__PURE__*/ tileKernel(
  source.maskedLinear,
  ({ buffers: { ranges }, params: { inputs, outputs, blocks } }) => {
    if (ranges.kind !== 'constant') return inputs * outputs * blocks;
    let taken = 0;
    for (let at = 0; at < ranges.data.length; at += 2) taken += ranges.data[at + 1]! - ranges.data[at]!;
    return taken * STRIP * blocks;
  },
  ({ outputs, blocks }) => [ceilDiv(outputs, STRIP), blocks],
);

export const maskedLinearRule = /*#__PURE__*/ defineRule(maskedLinear, (r, { buffers, params, constants }, gradients) => {
  const { x, weight, bias, ranges } = buffers;
  const dY = gradients.of('y');
  if (!dY) return;
  if (constants.ACTIVATION || constants.GATE || constants.RAW || constants.SCALE || ranges.kind !== 'constant')
    throw new TypeError(`${r.place}: a linear layer with more than a bias and an addend is fused; it has no derivative rule`);
  const { inputs, outputs, blocks, x_at, x_features, y_at, y_features } = params;
  const dAddend = constants.ADDEND ? gradients.into('addend') : null;
  if (dAddend) {
    const index = r.constant(
      Uint32Array.from({ length: outputs }, (_, f) => y_at + f),
      'slice',
    );
    accumulate(r, dAddend, (into) =>
      r.run(permute, { buffers: { x: dY, index, y: into }, params: { features: outputs, source_features: y_features } }),
    );
  }
  const dWeight = weight.kind === 'table' ? gradients.intoTable('weight') : null;
  if (dWeight)
    r.run(weightGradient, {
      buffers: { x, d_y: dY, ranges, d_weight: dWeight },
      params: { inputs, outputs, x_features, x_at, y_features, y_at, blocks },
    });
  const dBias = bias.kind === 'table' ? gradients.intoTable('bias') : null;
  for (let part = 0; dBias && part < blocks; part++)
    r.run(columnSums, {
      buffers: { terms: dY, total: dBias },
      params: { features: outputs, source_features: y_features, at: y_at + part * outputs, factor: 1 },
    });
  const dX = gradients.into('x', inputs * blocks !== x_features);
  if (!dX || x.kind !== 'tiled') return;
  const back = transposition(ranges.data, inputs, outputs);
  const zeros = r.constant(back.zeros, 'zeros');
  const transposed = r.once('before', () => recordGather(r, weight, back.place, back.zeros, `transposed ${weight.label}`));
  // The product overwrites its slice, so a target that holds something takes it from a tensor of its own.
  accumulate(r, dX, (y) =>
    r.run(maskedLinear, {
      buffers: {
        x: dY,
        weight: transposed,
        bias: zeros,
        ranges: r.constant(back.ranges, 'ranges'),
        addend: NONE,
        gate: NONE,
        y,
        raw: r.tiled(1, 'unused'),
      },
      params: {
        inputs: outputs,
        outputs: inputs,
        x_features: y_features,
        x_at: y_at,
        addend_features: 1,
        addend_at: 0,
        gate_features: 1,
        gate_at: 0,
        y_features: x_features,
        y_at: x_at,
        raw_features: 1,
        blocks,
      },
    }),
  );
});
