// Gradients of image flows, and of flows with linear layers between their own.

import { flows } from '../flows/table.js';
import { useGpu } from '../support/gpu.js';
import { describeGradients } from '../support/gradient-check.js';

const held = useGpu();

for (const flow of flows)
  if (/qr|householder|permutation|swapped/.test(flow.name))
    // Sixty-three reflections and as many hidden units: their roundings add up to more than those of the nets alone.
    describeGradients(held, flow, /D 63/.test(flow.name) ? { perturbation: 0.02 } : {});
