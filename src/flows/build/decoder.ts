// Likelihoods that are no densities: bases of decoders.

import { ConditionalBernoulli } from '../bases/conditional-bernoulli.js';
import { PLACE } from './base.js';
import { contextConditioner } from './conditioner.js';
import type { BaseBuilders } from './op.js';

export const decoderBases = {
  conditional_bernoulli({ net }, { dim, contextDim, state }) {
    const layout = { view: 'by parameter', places: [0] } as const;
    return new ConditionalBernoulli(dim, contextConditioner(net, dim, layout, { state, contextDim, place: PLACE }));
  },
} satisfies BaseBuilders;
