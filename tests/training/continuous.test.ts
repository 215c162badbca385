// Gradients of continuous and residual flows.

import { flows } from '../flows/table.js';
import { useGpu } from '../support/gpu.js';
import { describeGradients } from '../support/gradient-check.js';

const held = useGpu();

for (const flow of flows) if (/^(ffjord|residual)/.test(flow.name)) describeGradients(held, flow);
