import type { Tensor } from '../../runtime/tensor.js';

/** Numbers of a table, or of the constant in its place. */
export const lengthOf = (tensor: Tensor): number =>
  tensor.kind === 'table' ? tensor.length : tensor.kind === 'constant' ? tensor.data.length : tensor.features;
