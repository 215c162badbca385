import * as source from '../../src/kernels/generated/autoregressive-solve-mixture.js';
import { solveTwin } from './autoregressive-solve.js';
import { invertMixture, normalise } from './mixture.js';
import { defineTwin } from './twin.js';

export const autoregressiveSolveMixture = defineTwin(source.autoregressiveSolveMixture, (call) =>
  solveTwin(call, (value, parameter, store) => invertMixture(normalise(call.constants, parameter, store), value)),
);
