import { ACTIVATION_NUMBER, type Activation } from '../../src/kernels/activation.js';
import { thinNet } from '../../src/kernels/thin-net.js';
import { type ThinShape, thinNetCall, thinShapes } from '../support/thin-net.js';
import { defineCases, ROWS, ULP } from './case.js';

const net = (shape: ThinShape, front: Activation = 'relu', wide: Activation = 'relu') => {
  const call = thinNetCall(shape, false);
  return {
    ...call,
    name: `${call.name}, ${front}${wide === front ? '' : `, ${wide}`}`,
    constants: { ...call.constants, FRONT_ACTIVATION: ACTIVATION_NUMBER[front], ACTIVATION: ACTIVATION_NUMBER[wide] },
    // As for masked-linear, three layers' roundings of the sum of absolute terms; 4 on random signs.
    tolerance: { bound: 10 * ULP, of: 'inputs' as const },
  };
};

export const thinNetCases = defineCases(thinNet, [
  ...thinShapes(ROWS).map((shape) => net(shape)),
  net({ front: 2, inputs: 64, outputs: 64, back: 2, packs: true }),
  net({ front: 1, inputs: 33, outputs: 34, back: 4, packs: true }),
  net({ front: 0, inputs: 9, outputs: 7, back: 1, packs: true }),
  // Activations are one function for all kernels, and cases of theirs; what is compiled here takes a second each.
  ...(['tanh', 'softplus'] as const).map((activation) => net({ front: 2, inputs: 12, outputs: 13, back: 2 }, activation)),
  net({ front: 2, inputs: 12, outputs: 13, back: 2 }, 'relu', 'identity'),
  net({ front: 2, inputs: 12, outputs: 13, back: 0 }, 'identity', 'tanh'),
]);
