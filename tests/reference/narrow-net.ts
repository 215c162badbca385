import { PASSES } from '../../src/kernels/affine.js';
import * as affineSource from '../../src/kernels/generated/narrow-net-affine.js';
import * as splineSource from '../../src/kernels/generated/narrow-net-spline.js';
import { activate } from './activation.js';
import { moveAffine } from './affine-scale.js';
import { TILE, tiled } from './layout.js';
import { moveSpline } from './move-spline.js';
import { defineTwin, type TwinCall } from './twin.js';

type Shared = Pick<TwinCall<typeof affineSource.narrowNetAffine>, 'buffers' | 'params' | 'rows'> & {
  readonly constants: Readonly<Record<'ADDEND' | 'NORM' | 'HAS_LOG_DET', boolean> & Record<'ACTIVATION', number>>;
};

const LAYER_WORDS = 5;

/** The last layer's units of one row. */
function net({ buffers: { x, weight, bias, plan, addend }, params, constants }: Shared, row: number): Float64Array {
  let units = Float64Array.from({ length: plan[0]! }, (_, k) => x[tiled(params.x_features, row) + k * TILE]!);
  for (let layer = 0; layer < params.layers; layer++) {
    const [inputs, outputs, weightAt, biasAt, rangesAt] = plan.subarray(
      layer * LAYER_WORDS,
      (layer + 1) * LAYER_WORDS,
    ) as unknown as number[];
    const padded = Math.ceil(outputs! / 8) * 8;
    units = Float64Array.from({ length: outputs! }, (_, o) => {
      const strip = Math.floor(o / 8);
      let v = bias[biasAt! + o]!;
      for (let k = plan[rangesAt! + 2 * strip]!; k < plan[rangesAt! + 2 * strip + 1]!; k++)
        v += weight[4 * weightAt! + (strip * inputs! + k) * 8 + (o % 8)]! * units[k]!;
      if (constants.ADDEND && layer === params.addend_layer) v += addend[tiled(params.addend_features, row) + o * TILE]!;
      if (layer + 1 === params.layers) return v;
      if (constants.NORM) v = v * bias[biasAt! + padded + o]! + bias[biasAt! + 2 * padded + o]!;
      return activate(constants.ACTIVATION, v);
    });
  }
  return units;
}

/** @param transform value and log-derivative at `v`, from parameter p of a slot. */
function run(call: Shared, transform: (v: number, parameter: (p: number) => number) => readonly [number, number]): void {
  const { buffers, params, constants, rows } = call;
  for (let row = 0; row < rows; row++) {
    const parameters = net(call, row);
    let logDet = 0;
    for (let f = 0; f < params.features; f++) {
      const at = tiled(params.features, row) + f * TILE;
      const j = buffers.plan[params.slot_at + f]!;
      if (j === PASSES) {
        buffers.y[at] = buffers.value[at]!;
        continue;
      }
      const [value, term] = transform(buffers.value[at]!, (p) => parameters[p * params.slots + j]!);
      buffers.y[at] = value;
      logDet += term;
    }
    if (constants.HAS_LOG_DET) buffers.total[row]! += logDet;
  }
}

export const narrowNetAffine = defineTwin(affineSource.narrowNetAffine, (call) =>
  run(call, (v, parameter) => moveAffine(call.constants, v, parameter(0), call.constants.SCALE === 0 ? 0 : parameter(1))),
);

export const narrowNetSpline = defineTwin(splineSource.narrowNetSpline, (call) =>
  run(call, (v, parameter) => moveSpline(call.constants, v, parameter)),
);
