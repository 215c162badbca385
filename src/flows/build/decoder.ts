// Likelihoods that are no densities: bases of decoders.

import { ConditionalBernoulli } from '../bases/conditional-bernoulli.js';
import { conditionerOf } from './conditioner.js';
import { buildContextNet } from './nets.js';
import type { BaseBuilders } from './op.js';

export const decoderBases = {
  conditional_bernoulli({ net }, { dim, contextDim, state }) {
    const place = 'description.base';
    const stages = buildContextNet(state, net, contextDim, `${place}.net`);
    const layout = { view: 'by parameter', places: [0] } as const;
    return new ConditionalBernoulli(dim, conditionerOf(stages, dim, layout, { inputs: contextDim, contextDim: 0, place }));
  },
} satisfies BaseBuilders;
