// Gradients of image flows, and of flows with linear layers between their own.

import { flows } from '../flows/table.js';
import { useGpu } from '../support/gpu.js';
import { describeGradients } from '../support/gradient-check.js';

const held = useGpu();

for (const flow of flows)
  if (/^glow|^imageRealNVP|^split|qr|householder|permutation|swapped/.test(flow.name))
    // Image flows of the table are perturbed there already; sixty-three reflections magnify what more does.
    describeGradients(held, flow, /^glow|^image|D 63/.test(flow.name) ? { perturbation: 0.02 } : {});
