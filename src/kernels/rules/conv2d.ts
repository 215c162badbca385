import { defineRule } from '../../runtime/derivative.js';
import { ceilDiv } from '../../runtime/kernel.js';
import type { Recorder } from '../../runtime/recorder.js';
import { NONE, type TiledTensor } from '../../runtime/tensor.js';
import type { conv2d } from '../conv2d.js';
import { centerPixels, pixelSums, rectifyBackward } from '../conv2d-backward.js';
import { type Channels, recordColumnSums, recordWeightGradient } from '../linear-backward.js';
import { STRIP } from '../linear-strips.js';
import { permute, ZERO } from '../permute.js';
import { accumulate, addProduct } from './accumulate.js';

interface Size {
  readonly inputs: number;
  readonly outputs: number;
  readonly height: number;
  readonly width: number;
  readonly kernel: number;
}

/** Where each weight of the layer turned round lies among those of the layer, from 1 on: inputs and outputs exchanged, taps reversed. */
function turnedRound({ inputs, outputs, kernel }: Size): Uint32Array<ArrayBuffer> {
  const taps = kernel * kernel;
  const place = new Uint32Array(ceilDiv(inputs, STRIP) * taps * outputs * STRIP);
  for (let k = 0; k < inputs; k++)
    for (let tap = 0; tap < taps; tap++)
      for (let o = 0; o < outputs; o++)
        place[((Math.floor(k / STRIP) * taps + tap) * outputs + o) * STRIP + (k % STRIP)] =
          1 + ((Math.floor(o / STRIP) * taps + taps - 1 - tap) * inputs + k) * STRIP + (o % STRIP);
  return place;
}

/** Every pixel that a checkerboard setting keeps, and its place: as shaders/conv2d.wgsl has them. */
function* pixelsOf({ height, width }: Size, setting: number, packed: boolean): Generator<[pixel: number, place: number]> {
  for (let p = 0; p < height * width; p++)
    if (setting === 0 || (Math.floor(p / width) + (p % width)) % 2 === setting - 1) yield [p, setting > 0 && packed ? p >> 1 : p];
}

const placeOf = ({ tensor, at, channel, pixel }: Channels) => ({ source_features: tensor.features, at, channel, pixel });

/** Records y[f] = x[index[f]]. */
function gather(r: Recorder, x: TiledTensor, index: Uint32Array<ArrayBuffer>, y = r.tiled(index.length, x.label)): TiledTensor {
  r.run(permute, {
    buffers: { x, index: r.constant(index, 'pixels'), y },
    params: { features: index.length, source_features: x.features },
  });
  return y;
}

/** All pixels of the channels, channel by channel, zero where a checkerboard leaves one out; as they are where it leaves none out. */
function wholeImage(r: Recorder, from: Channels, channels: number, size: Size, setting: number, packed: boolean): Channels {
  if (setting === 0) return from;
  const area = size.height * size.width;
  const index = new Uint32Array(channels * area).fill(ZERO);
  for (const [p, place] of pixelsOf(size, setting, packed))
    for (let c = 0; c < channels; c++) index[c * area + p] = from.at + c * from.channel + place * from.pixel;
  return { tensor: gather(r, from.tensor, index), at: 0, channel: area, pixel: 1 };
}

type Source = (typeof conv2d)['source'];

export const conv2dRule = /*#__PURE__*/ defineRule<Source>(
  'conv2d.conv2d',
  (r, { kernel: conv, buffers, params, constants }, gradients) => {
    const dY = gradients.of('y');
    if (!dY) return;
    const { inputs, outputs, height, width, kernel, reads, writes, slope } = params;
    const size = { inputs, outputs, height, width, kernel };
    const area = height * width;
    const padded = ceilDiv(outputs, STRIP) * STRIP;
    let tensor = dY;
    if (slope !== 1) {
      tensor = r.tiled(dY.features, 'd sum');
      r.run(rectifyBackward, { buffers: { value: buffers.y, d_value: dY, d_sum: tensor }, params: { features: dY.features, slope } });
    }
    const y = wholeImage(r, { tensor, at: params.y_at, channel: params.y_channel, pixel: params.y_pixel }, outputs, size, writes, true);
    const source = { tensor: buffers.x as TiledTensor, at: params.x_at, channel: params.x_channel, pixel: params.x_pixel };
    const image = (label: string): Channels => ({ tensor: r.tiled(inputs * area, label), at: 0, channel: area, pixel: 1 });
    const dWeight = gradients.intoTable('weight');
    if (dWeight) {
      let x = wholeImage(r, source, inputs, size, reads, false);
      if (constants.CENTER) {
        const centered = image('centered');
        r.run(centerPixels, {
          buffers: { terms: x.tensor, bias: buffers.bias, centered: centered.tensor },
          params: { features: inputs * area, pixels: area, bias_at: padded, ...placeOf(x) },
        });
        x = centered;
      }
      const ranges = Uint32Array.from({ length: 2 * ceilDiv(outputs, STRIP) }, (_, at) => (at % 2) * inputs);
      recordWeightGradient(r, x, y, r.constant(ranges, 'ranges'), dWeight, size);
    }
    /** Sums over the pixels of each channel. */
    const sumsOf = (of: Channels, features: number): TiledTensor => {
      const sums = r.tiled(features, 'sums over pixels');
      r.run(pixelSums, { buffers: { terms: of.tensor, sums }, params: { features, pixels: area, ...placeOf(of) } });
      return sums;
    };
    const [dBias, dAddend] = [gradients.intoTable('bias'), constants.ADDEND ? gradients.into('addend') : null];
    if (dBias || dAddend) {
      const sums = sumsOf(y, outputs);
      if (dBias) recordColumnSums(r, sums, dBias);
      if (dAddend) addProduct(r, dAddend, sums, null);
    }
    const dX = gradients.into('x');
    const dCenter = constants.CENTER ? dBias : null;
    if (!dX && !dCenter) return;
    const place = turnedRound(size);
    const zeros = new Float32Array(place.length);
    const weight = gradients.rearranged('weight', place);
    const onto = (x: Channels) => {
      r.run(conv, {
        buffers: { x: y.tensor, weight, bias: r.constant(zeros, 'zeros'), addend: NONE, y: x.tensor },
        params: {
          ...params,
          inputs: outputs,
          outputs: inputs,
          reads: 0,
          writes: 0,
          x_features: y.tensor.features,
          x_at: y.at,
          x_channel: y.channel,
          x_pixel: y.pixel,
          y_features: x.tensor.features,
          y_at: 0,
          y_channel: x.channel,
          y_pixel: x.pixel,
          slope: 1,
        },
      });
      // The center is subtracted from every pixel, and stands in the bias with that sign.
      if (dCenter) recordColumnSums(r, sumsOf(x, inputs), dCenter, { to: padded });
    };
    if (dX && reads === 0 && source.tensor.features === inputs * area) {
      accumulate(r, dX, (into) => onto({ ...source, tensor: into }));
      return;
    }
    // Channels or pixels that the layer does not read get zeros.
    const whole = image('d image');
    onto(whole);
    if (!dX) return;
    const index = new Uint32Array(source.tensor.features).fill(ZERO);
    for (const [p] of pixelsOf(size, reads, false))
      for (let c = 0; c < inputs; c++) index[source.at + c * source.channel + p * source.pixel] = c * area + p;
    accumulate(r, dX, (into) => gather(r, whole.tensor, index, into));
  },
);
