import { sylvesterBackward } from '../../src/kernels/sylvester-backward.js';
import { paddedRows } from '../../src/runtime/tensor.js';
import { TILE, tiled } from '../reference/layout.js';
import { moveSylvester } from '../reference/sylvester.js';
import { type Array32, type BufferSpec, defineCases, ROWS, tiledNormals, unread } from './case.js';
import { perRow } from './planar.js';
import { triangles } from './sylvester.js';

interface Shape {
  readonly units: number;
  readonly rows?: number;
  readonly undo?: boolean;
  readonly y?: boolean;
  readonly logDet?: boolean;
}

/** The buffer of another spec, and what was last made of it. */
function kept(spec: BufferSpec): BufferSpec & { last: Array32 } {
  const keeping = {
    ...spec,
    last: new Float32Array() as Array32,
    make: (...given: Parameters<BufferSpec['make']>) => {
      keeping.last = spec.make(...given);
      return keeping.last;
    },
  };
  return keeping;
}

function backward({ units, rows = 257, undo = false, y: hasY = true, logDet = true }: Shape) {
  const count = units * (units + 2);
  const y = kept(tiledNormals(units));
  const parameters = kept(perRow(count, (random) => triangles(random, units, true)));
  const move = moveSylvester({ PER_ROW: true, UNDO: false });
  return {
    name: [
      `${units} units, ${rows} rows`,
      ...(undo ? ['undone'] : []),
      ...(hasY ? [] : ['log-det alone']),
      ...(logDet ? [] : ['no log-det']),
    ].join(', '),
    rows,
    params: { units },
    constants: { UNDO: undo, HAS_Y: hasY, HAS_LOG_DET: logDet },
    buffers: {
      y,
      parameters,
      hidden: {
        layout: 'tiled' as const,
        make: () => {
          const hidden = new Float32Array(paddedRows(rows) * units).fill(Number.NaN);
          for (let row = 0; row < rows; row++) {
            const of = (tensor: Array32, features: number) => (i: number) => tensor[tiled(features, row) + i * TILE]!;
            const moved = move(
              Float64Array.from({ length: units }, (_, i) => of(y.last, units)(i)),
              of(parameters.last, count),
            );
            for (const [i, value] of moved.hidden.entries()) hidden[tiled(units, row) + i * TILE] = value;
          }
          return hidden;
        },
      },
      d_moved: hasY ? tiledNormals(units) : unread,
      d_log_det: logDet ? tiledNormals(1) : unread,
      d_source: tiledNormals(units),
      d_parameters: tiledNormals(count),
    },
    tolerance: { bound: undo ? 1e-4 : 2e-5 },
  };
}

export const sylvesterBackwardCases = defineCases(sylvesterBackward, [
  ...ROWS.map((rows) => backward({ units: 5, rows, undo: true })),
  ...[1, 2].flatMap((units) => [false, true].map((undo) => backward({ units, undo }))),
  ...[false, true].map((undo) => backward({ units: 11, rows: 33, undo })),
  ...[false, true].flatMap((undo) => [backward({ units: 5, undo, y: false }), backward({ units: 5, undo, logDet: false })]),
]);
