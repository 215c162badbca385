import { SCALE_NUMBER } from '../../src/kernels/affine.js';
import { narrowNetAffine } from '../../src/kernels/narrow-net-affine.js';
import { type NetShape, narrowNetCall } from '../support/narrow-net.js';
import { SCALE_CONSTANTS } from './affine.js';
import { defineCases, ROWS } from './case.js';

/** Nets of unit weights behind e^u: log-scales up to 5. */
const net = (shape: NetShape, scale: keyof typeof SCALE_NUMBER = 'tanh', undo = false) => {
  const call = narrowNetCall(scale === 'none' ? 1 : 2, shape);
  return {
    ...call,
    name: `${call.name}, ${scale}${undo ? ', undone' : ''}`,
    constants: { ...call.constants, ...SCALE_CONSTANTS[scale], SCALE: SCALE_NUMBER[scale], UNDO: undo },
    tolerance: { bound: 2e-5 },
  };
};

export const narrowNetAffineCases = defineCases(narrowNetAffine, [
  ...ROWS.map((rows) => net({ inputs: 5, hidden: [13, 30], features: 5, rows })),
  ...ROWS.map((rows) => net({ inputs: 5, hidden: [65, 20], features: 7, rows }, 'exp')),
  net({ inputs: 1, hidden: [], features: 1 }),
  net({ inputs: 64, hidden: [64], features: 2 }),
  net({ inputs: 128, hidden: [128, 128], features: 63 }, 'softplus'),
  net({ inputs: 30, hidden: [40, 70], features: 20, masked: true }, 'exp', true),
  net({ inputs: 5, hidden: [30], features: 5, adds: 0, logDet: false }),
  net({ inputs: 5, hidden: [30, 100], features: 5, adds: 1, norm: true, activation: 'silu', rows: 1000 }),
  net({ inputs: 5, hidden: [30], features: 5 }, 'none'),
]);
