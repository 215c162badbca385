import { VALUE_NUMBER } from '../../src/kernels/activation-backward.js';
import { thinNetBackward } from '../../src/kernels/thin-net-backward.js';
import { type ThinShape, thinNetCall, thinShapes } from '../support/thin-net.js';
import { defineCases, ROWS, tiledNormals, ULP } from './case.js';

interface Options {
  readonly activation?: keyof typeof VALUE_NUMBER | 'none';
  readonly add?: boolean;
}

const net = (shape: ThinShape, { activation = 'relu', add = false }: Options = {}) => {
  const call = thinNetCall(shape, true);
  const kind = activation === 'none' ? 0 : VALUE_NUMBER[activation];
  return {
    ...call,
    name: `${call.name}, ${activation}${add ? ', added' : ''}`,
    constants: { ...call.constants, FRONT_ACTIVATION: shape.front > 0 ? kind : 0, ACTIVATION: kind, ADD: add },
    buffers: { ...call.buffers, front_source: tiledNormals(shape.inputs, 0.25), wide_source: tiledNormals(shape.outputs, 0.25) },
    // As for linear-input-backward, three layers' roundings and slopes: 2 on random signs.
    tolerance: { bound: 6 * ULP, of: 'inputs' as const },
  };
};

export const thinNetBackwardCases = defineCases(thinNetBackward, [
  ...thinShapes(ROWS).map((shape) => net(shape, { add: true })),
  // Slopes are one function for all kernels, and cases of activation-backward; what is compiled here takes a second each.
  net({ front: 2, inputs: 12, outputs: 13, back: 2 }, { activation: 'relu' }),
  net({ front: 2, inputs: 12, outputs: 13, back: 2 }, { activation: 'tanh' }),
  net({ front: 2, inputs: 12, outputs: 13, back: 2 }, { activation: 'none' }),
]);
