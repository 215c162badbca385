import { defineRule } from '../../runtime/derivative.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import type { divergence } from '../divergence.js';
import { multiplyAdd } from '../multiply-add.js';
import type { scaleTangents } from '../scale-tangents.js';
import { tangentsBackward } from '../tangents-backward.js';
import { addProduct } from './accumulate.js';

export const scaleTangentsRule = /*#__PURE__*/ defineRule<(typeof scaleTangents)['source']>(
  'scale-tangents.scale_tangents',
  (r, { buffers: { x, slope }, params: { features, blocks } }, gradients) => {
    const dY = gradients.of('y');
    if (!dY) return;
    const [dX, dSlope] = [gradients.into('x'), gradients.into('slope')];
    if (dX) addProduct(r, dX, dY, slope as TiledTensor);
    if (dSlope)
      r.run(tangentsBackward, {
        buffers: { x, d_y: dY, d_slope: dSlope.tensor },
        params: { features, blocks },
        constants: { ADD: dSlope.add },
      });
  },
);

export const probeSumRule = /*#__PURE__*/ defineRule<(typeof divergence.probeSum)['source']>(
  'divergence.probe_sum',
  (r, { buffers: { tangents, image }, params: { total_features, total_at, factor } }, gradients) => {
    const dTotal = gradients.of('total');
    if (!dTotal) return;
    const [dTangents, dImage] = [gradients.into('tangents'), gradients.into('image')];
    const seed = r.tiled(1, 'seed');
    const params = { features: 1, a_features: total_features, a_at: total_at, b_features: 1, y_features: 1, y_at: 0, factor };
    r.run(multiplyAdd, { buffers: { a: dTotal, b: dTotal, y: seed }, params });
    if (dTangents) addProduct(r, dTangents, image as TiledTensor, seed);
    if (dImage) addProduct(r, dImage, tangents as TiledTensor, seed);
  },
);
