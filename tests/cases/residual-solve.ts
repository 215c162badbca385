import type { MlpActivation } from '../../src/flows/conditioner/tangents.js';
import { fixedPointSteps, memoryFor, patienceFor, residualSolve } from '../../src/kernels/residual-solve.js';
import { contractiveNet } from '../support/residual-nets.js';
import { defineCases, ROWS, table, tiledNormals, unread } from './case.js';

interface Options {
  readonly rows?: number;
  readonly activation?: MlpActivation;
  readonly lipschitz?: number;
  readonly memory?: number;
  readonly side?: boolean;
  readonly rotating?: boolean;
  readonly scale?: number;
  readonly bound?: number;
  readonly limit?: number;
  readonly tolerance?: number;
}

const solve = (dim: number, hidden: readonly number[], options: Options = {}) => {
  const {
    rows = 257,
    activation = 'lipswish',
    lipschitz = 0.8,
    memory = memoryFor(dim),
    side = false,
    rotating = false,
    scale = 1,
    bound = 2e-6,
    tolerance = 0,
  } = options;
  const { net, lipschitz: contraction } = contractiveNet(dim, hidden, activation, lipschitz, rotating);
  const limit = options.limit ?? 1 + 2 * fixedPointSteps(contraction, 2 ** -24);
  const nodes = 2 * net.width + (4 + memory) * dim;
  const sideFeatures = side ? hidden[0]! : 1;
  return {
    name: `D ${dim}, hidden ${hidden.join(' ')}, ${rows} rows, ${activation}, L ${lipschitz}${rotating ? ' rotating' : ''}, memory ${memory}${side ? ', context' : ''}${scale === 1 ? '' : `, z ~ ${scale}`}${options.limit ? `, ${limit} evaluations` : ''}${tolerance > 0 ? `, tolerance ${tolerance}` : ''}`,
    rows,
    params: {
      dim,
      layers: hidden.length + 1,
      width: net.width,
      nodes,
      side_features: sideFeatures,
      memory,
      limit,
      patience: patienceFor(contraction),
      contraction,
      tolerance,
    },
    constants: { ACTIVATION: net.activation, SIDE: side },
    buffers: {
      state: tiledNormals(nodes, Number.NaN), // nothing may be read before it is computed
      weight: table(() => net.weight),
      bias: table(() => net.bias),
      layers: table(() => net.layers),
      side: side ? tiledNormals(sideFeatures, 0.5) : unread,
      source: tiledNormals(dim, scale),
      x: tiledNormals(dim),
    },
    tolerance: { bound },
    scratch: ['state'],
  };
};

const hard = (options: Options) => solve(5, [5, 5], { activation: 'elu', lipschitz: 0.9, rotating: true, bound: 1e-5, ...options });

export const residualSolveCases = defineCases(residualSolve, [
  ...ROWS.map((rows) => solve(5, [20, 20], { rows })),
  solve(1, [7]),
  solve(2, [33]),
  solve(2, []),
  solve(63, [70, 65]),
  // All are one function, and cases of activation and activation-backward.
  ...(['tanh', 'relu', 'softplus'] as const).map((activation) => solve(5, [20, 20], { activation })),
  solve(5, [20, 20], { memory: 1 }),
  solve(5, [20, 20], { memory: 3 }),
  solve(5, [20, 20], { side: true }),
  solve(5, [20, 20], { lipschitz: 0.1 }),
  // The rounding of a row is that of its largest feature, and the bound is relative to the smallest.
  solve(5, [20, 20], { scale: 1e4, bound: 3e-3 }),
  // A Jacobian near its bound: what the rounding of g leaves of the residual is magnified by up to 1 / (1 − L).
  ...[0.5, 0.9, 0.99].flatMap((lipschitz) => [1, 12].map((memory) => hard({ lipschitz, memory, bound: 2e-6 / (1 - lipschitz) }))),
  hard({ activation: 'relu', lipschitz: 0.95, bound: 2e-6 / (1 - 0.95) }),
  // On the way: few rows, since a step that is nearly too short may be taken in one precision and not in the other.
  ...[1, 2, 3, 4, 6].map((limit) => hard({ limit, rows: 64 })),
  hard({ limit: 6, memory: 1, rows: 64 }),
  hard({ limit: 6, memory: 3, rows: 64 }),
  hard({ tolerance: 0.03, rows: 64 }),
]);
