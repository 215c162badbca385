import * as source from '../../src/kernels/generated/residual-solve-backward.js';
import { TILE, tiled } from './layout.js';
import { contract } from './residual-solve.js';
import { RowNet } from './row-net.js';
import { defineTwin } from './twin.js';

export const residualSolveBackward = defineTwin(source.residualSolveBackward, ({ buffers, params, constants, rows }) => {
  const { dim, layers } = params;
  for (let row = 0; row < rows; row++) {
    const sideAt = tiled(params.side_features, row);
    const net = new RowNet(buffers, layers, constants.ACTIVATION, constants.SIDE ? (o) => buffers.side[sideAt + o * TILE]! : null);
    const of = (buffer: ArrayLike<number>) => Array.from({ length: dim }, (_, f) => buffer[tiled(dim, row) + f * TILE]!);
    net.values(of(buffers.point));
    const lambda = contract(of(buffers.source), (t) => net.scaled(net.tangents(t, layers)), params);
    for (const [f, value] of lambda.entries()) buffers.x[tiled(dim, row) + f * TILE] = value;
  }
});
