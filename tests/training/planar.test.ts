// Gradients of planar, radial and Sylvester flows, mixtures, bounded supports and batch norm inside nets.

import { flows } from '../flows/table.js';
import { useGpu } from '../support/gpu.js';
import { describeGradients } from '../support/gradient-check.js';

describeGradients(
  useGpu(),
  flows.filter(({ name }) => /^(planar|radial|sylvester)/.test(name) && !/sylvester (D 2|D 5, three|D 63)/.test(name)),
);
