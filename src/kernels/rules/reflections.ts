import { defineRule, type OriginRule } from '../../runtime/derivative.js';
import { ceilDiv } from '../../runtime/kernel.js';
import { STRIP } from '../linear-strips.js';
import { reflections } from '../reflections-backward.js';
import { lengthOf } from './tables.js';

/** The packed weights of H_K … H_1. */
export const reflectionsOrigin: OriginRule = {
  kind: 'reflections',
  record: (r, { vectors }, { features }) => {
    const dim = Number(features);
    const weight = r.table(ceilDiv(dim, STRIP) * dim * STRIP, 'reflections');
    r.run(reflections.product, {
      buffers: { vectors: vectors!, weight },
      params: { features: dim, reflections: lengthOf(vectors!) / dim },
    });
    return { weight };
  },
};

export const reflectionsRule = /*#__PURE__*/ defineRule(
  reflections.product,
  (r, { buffers: { vectors, weight: made }, params }, gradients) => {
    const [d_weight, d_vectors] = [gradients.ofTable('weight'), gradients.intoTable('vectors')];
    if (!d_weight || !d_vectors) return;
    const { features } = params;
    const work = r.table(2 * features * (features + 1), 'work');
    r.run(reflections.productBackward, { buffers: { vectors, made, d_weight, work, d_vectors }, params });
  },
);
