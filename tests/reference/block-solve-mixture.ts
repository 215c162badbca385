import * as source from '../../src/kernels/generated/block-solve-mixture.js';
import { blockTwin } from './block-solve.js';
import { invertMixture, normalise } from './mixture.js';
import { defineTwin } from './twin.js';

export const blockSolveMixture = defineTwin(source.blockSolveMixture, (call) =>
  blockTwin(call, (value, parameter, store) => invertMixture(normalise(call.constants, parameter, store), value)),
);
