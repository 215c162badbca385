import { defineRule } from '../../runtime/derivative.js';
import { ceilDiv } from '../../runtime/kernel.js';
import type { Recorder } from '../../runtime/recorder.js';
import { NONE, type TiledTensor } from '../../runtime/tensor.js';
import { activationBackward } from '../activation-backward.js';
import { recordColumnSums, recordWeightGradient } from '../linear-backward.js';
import { linearInput } from '../linear-input-backward.js';
import { STRIP } from '../linear-strips.js';
import { maskedLinear } from '../masked-linear.js';
import { permute } from '../permute.js';
import { accumulate } from './accumulate.js';

interface Transposition {
  /** Where each packed weight of the transposed layer lies among those of the layer; 0 for padding, else 1 + index. */
  readonly place: Uint32Array<ArrayBuffer>;
  readonly ranges: Uint32Array<ArrayBuffer>;
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
  const turned = { place, ranges: back };
  transpositions.set(ranges, turned);
  return turned;
}

/** Records the gradient by what an activation took, from what it gave. */
function throughActivation(r: Recorder, kind: number, y: TiledTensor, dValue: TiledTensor): TiledTensor {
  const dSum = r.tiled(y.features, 'd sum');
  r.run(activationBackward, {
    buffers: { source: y, beta: NONE, d_value: dValue, d_slope: NONE, d_source: dSum, d_beta: r.tiled(1, 'unused') },
    params: { features: y.features },
    constants: { ACTIVATION: kind, FROM_VALUE: true },
  });
  return dSum;
}

export const maskedLinearRule = /*#__PURE__*/ defineRule(maskedLinear, (r, { buffers, params, constants }, gradients) => {
  const { x, weight, bias, ranges } = buffers;
  const dValue = gradients.of('y');
  if (!dValue) return;
  if (constants.GATE || constants.RAW || constants.SCALE || ranges.kind !== 'constant')
    throw new TypeError(
      `${r.place}: a linear layer with more than a bias, an addend and an activation is fused; it has no derivative rule`,
    );
  const { inputs, outputs, blocks, x_at, x_features, y_at, y_features } = params;
  const dY = constants.ACTIVATION ? throughActivation(r, constants.ACTIVATION, buffers.y as TiledTensor, dValue) : dValue;
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
  const dBias = bias.kind === 'table' ? gradients.intoTable('bias') : null;
  if (dWeight)
    recordWeightGradient(
      r,
      { tensor: x as TiledTensor, at: x_at, channel: 1, pixel: inputs },
      { tensor: dY, at: y_at, channel: 1, pixel: outputs },
      ranges,
      dWeight,
      { inputs, outputs, height: 1, width: blocks, kernel: 1 },
      dBias,
    );
  else if (dBias) recordColumnSums(r, dY, dBias, { features: outputs, at: y_at, blocks });
  const dX = gradients.into('x', inputs * blocks !== x_features);
  if (!dX || x.kind !== 'tiled') return;
  const back = transposition(ranges.data, inputs, outputs);
  const transposed = gradients.rearranged('weight', back.place);
  r.run(linearInput, {
    buffers: { x: dY, weight: transposed, ranges: r.constant(back.ranges, 'ranges'), y: dX.tensor, source: NONE },
    params: {
      inputs: outputs,
      outputs: inputs,
      x_features: y_features,
      x_at: y_at,
      y_features: x_features,
      y_at: x_at,
      blocks,
    },
    constants: { ADD: dX.add },
  });
});
