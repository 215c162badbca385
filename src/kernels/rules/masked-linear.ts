import { defineRule } from '../../runtime/derivative.js';
import { ceilDiv } from '../../runtime/kernel.js';
import { memo } from '../../runtime/memo.js';
import type { Recorder } from '../../runtime/recorder.js';
import { NONE, type TiledTensor } from '../../runtime/tensor.js';
import { activationBackward } from '../activation-backward.js';
import { recordColumnSums, recordWeightGradient } from '../linear-backward.js';
import { linearInput } from '../linear-input-backward.js';
import { STRIP } from '../linear-strips.js';
import { maskedLinear } from '../masked-linear.js';
import { permute } from '../permute.js';
import { accumulate } from './accumulate.js';

const turned = /*#__PURE__*/ new WeakMap<Float32Array | Uint32Array, Uint32Array<ArrayBuffer>>();

/** Ranges of the layer turned round: a strip of 8 inputs is read by the outputs of every strip that reads some of it. */
export const turnedRanges = (ranges: Float32Array | Uint32Array, inputs: number, outputs: number): Uint32Array<ArrayBuffer> =>
  memo(turned, ranges, () => {
    const back = new Uint32Array(2 * ceilDiv(inputs, STRIP));
    for (let strip = 0; 2 * strip < back.length; strip++) {
      const [low, high] = [strip * STRIP, Math.min((strip + 1) * STRIP, inputs)];
      const readers = [...Array(ceilDiv(outputs, STRIP)).keys()].filter((of) => ranges[2 * of]! < high && ranges[2 * of + 1]! > low);
      if (readers.length > 0) back.set([readers[0]! * STRIP, Math.min((readers.at(-1)! + 1) * STRIP, outputs)], 2 * strip);
    }
    return back;
  });

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
  r.run(linearInput, {
    buffers: { x: dY, weight, ranges: r.constant(turnedRanges(ranges.data, inputs, outputs), 'ranges'), y: dX.tensor, source: NONE },
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
