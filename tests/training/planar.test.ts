// Gradients of planar, radial and Sylvester flows, mixtures, bounded supports and batch norm inside nets.

import { flows } from '../flows/table.js';
import { useGpu } from '../support/gpu.js';
import { describeGradients } from '../support/gradient-check.js';

const held = useGpu();

for (const flow of flows)
  if (/^(planar|radial|sylvester)|mademog|bounded|mixture|support|uniform base/.test(flow.name)) describeGradients(held, flow);
