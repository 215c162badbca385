import type { MlpActivation } from '../../src/flows/conditioner/tangents.js';
import { fixedPointSteps, memoryFor, patienceFor } from '../../src/kernels/residual-solve.js';
import { residualSolveBackward } from '../../src/kernels/residual-solve-backward.js';
import { transposedNet } from '../../src/kernels/rules/contraction.js';
import { contractiveNet } from '../support/residual-nets.js';
import { defineCases, ROWS, table, tiledNormals, unread } from './case.js';

interface Options {
  readonly rows?: number;
  readonly activation?: MlpActivation;
  readonly lipschitz?: number;
  readonly side?: boolean;
  readonly rotating?: boolean;
}

const adjoint = (dim: number, hidden: readonly number[], options: Options = {}) => {
  const { rows = 257, activation = 'lipswish', lipschitz = 0.8, side = false, rotating = false } = options;
  const { net, lipschitz: contraction } = contractiveNet(dim, hidden, activation, lipschitz, rotating);
  const { layers, places, slopeFeatures } = transposedNet(net.layers, net.weight.length);
  const memory = memoryFor(dim);
  const nodes = 2 * net.width + (5 + memory) * dim + slopeFeatures;
  const sideFeatures = side ? hidden[0]! : 1;
  return {
    name: `D ${dim}, hidden ${hidden.join(' ')}, ${rows} rows, ${activation}, L ${lipschitz}${rotating ? ' rotating' : ''}${side ? ', context' : ''}`,
    rows,
    params: {
      dim,
      layers: hidden.length + 1,
      width: net.width,
      nodes,
      side_features: sideFeatures,
      memory,
      limit: 1 + 2 * fixedPointSteps(contraction, 2 ** -24),
      patience: patienceFor(contraction),
      slope_features: slopeFeatures,
      contraction,
      tolerance: 0,
    },
    constants: { ACTIVATION: net.activation, SIDE: side, SLOPES: true },
    buffers: {
      state: tiledNormals(nodes, Number.NaN), // nothing may be read before it is computed
      weight: table(() => Float32Array.from(places, (place) => (place === 0 ? 0 : net.weight[place - 1]!))),
      bias: table(() => net.bias),
      layers: table(() => layers),
      side: side ? tiledNormals(sideFeatures, 0.5) : unread,
      source: tiledNormals(dim),
      x: tiledNormals(dim),
      point: tiledNormals(dim),
    },
    // As of the solve, and the Jacobian is rounded too.
    tolerance: { bound: rotating ? 6e-6 / (1 - lipschitz) : 2e-6 },
    scratch: ['state'],
  };
};

export const residualSolveBackwardCases = defineCases(residualSolveBackward, [
  ...ROWS.map((rows) => adjoint(5, [20, 20], { rows })),
  adjoint(1, [7]),
  adjoint(2, [33]),
  adjoint(2, []),
  adjoint(63, [70, 65]),
  // All are one function, and cases of activation and activation-backward.
  ...(['tanh', 'softplus'] as const).map((activation) => adjoint(5, [20, 20], { activation })),
  adjoint(5, [20, 20], { side: true }),
  ...[0.5, 0.9, 0.99].map((lipschitz) => adjoint(5, [5, 5], { activation: 'elu', lipschitz, rotating: true })),
]);
