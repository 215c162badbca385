// Gradients of planar, radial and Sylvester flows, mixtures, bounded supports and batch norm inside nets.

import { flows } from '../flows/table.js';
import { batchNormNets } from '../support/batch-norm-net.js';
import { useGpu } from '../support/gpu.js';
import { describeGradients } from '../support/gradient-check.js';

const held = useGpu();

for (const flow of flows)
  if (/^(planar|radial|sylvester)|mademog|bounded|mixture|support|uniform base/.test(flow.name)) describeGradients(held, flow);

// Most of its parameters are weights: more are drawn, so that the norms' are among them.
describeGradients(held, { name: 'maf D 5, norms folded into layers', make: batchNormNets, traits: {} }, { parameters: 40 });
