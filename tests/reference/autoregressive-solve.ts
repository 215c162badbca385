// Twin of shaders/lib/autoregressive-solve.wgsl, one row at a time; a solve kernel's twin adds its transformer.

import {
  TASK_FROM_STATE,
  TASK_HAS_SCALE,
  TASK_HAS_SKIP,
  TASK_KIND,
  TASK_NONE,
  TASK_PANEL,
  TASK_SKIPS,
  TASK_WORDS,
} from '../../src/kernels/autoregressive-solve.js';
import type * as affine from '../../src/kernels/generated/autoregressive-solve-affine.js';
import { activate } from './activation.js';
import { TILE, tiled } from './layout.js';
import { sigmoid } from './math.js';
import type { TwinCall } from './twin.js';

/** The part of a twin call that no transformer changes. */
export type SolveTwinCall = Pick<TwinCall<typeof affine.autoregressiveSolveAffine>, 'buffers' | 'params' | 'rows'> & {
  readonly constants: { readonly HAS_LOG_DET: boolean };
};

/** z → x of one feature: its value and log|dx/dz| from the source value and `parameter(p)`, number p of its parameters, which `store(p, value)` overwrites. */
export type SolveTransform = (
  value: number,
  parameter: (index: number) => number,
  store: (index: number, value: number) => void,
) => readonly [value: number, logDet: number];

export function solveTwin({ buffers, params, constants, rows }: SolveTwinCall, transform: SolveTransform): void {
  const { source: from, weight, bias, tasks, side, state, result, log_det } = buffers;
  for (let row = 0; row < rows; row++) {
    const first = tiled(params.nodes, row);
    state[first + (params.nodes - 1) * TILE] = 0;
    const rowsAt = tiled(params.dim, row);
    const sideAt = tiled(params.side_features, row);
    let total = 0;
    let block = 0;
    let inBlock = 0;
    for (let t = 0; t < params.tasks; t++) {
      const task = tasks.subarray(t * TASK_WORDS, (t + 1) * TASK_WORDS);
      if (task[0] === TASK_KIND.feature) {
        const at = rowsAt + task[1]! * TILE;
        const p = first + task[2]! * TILE;
        const place = (index: number) => p + index * task[3]! * TILE;
        const [value, logDet] = transform(
          task[TASK_FROM_STATE] === TASK_NONE ? from[at]! : state[first + task[TASK_FROM_STATE]! * TILE]!,
          (index) => state[place(index)]!,
          (index, stored) => {
            state[place(index)] = stored;
          },
        );
        state[first + task[4]! * TILE] = value;
        result[at] = value;
        block += logDet;
        if (++inBlock === 8) {
          total += block;
          block = 0;
          inBlock = 0;
        }
        continue;
      }
      const width = 8 >> task[0]!;
      const padded = Math.ceil(width / 4) * 4;
      const [count, w, input, output, raw, addend, gate, constantsAt, flags, partial] = task.slice(1, 11) as unknown as number[];
      for (let unit = 0; unit < width; unit++) {
        let v = partial === TASK_NONE ? 0 : state[first + (partial! + unit) * TILE]!;
        if (task[TASK_PANEL] !== TASK_NONE) v = side[sideAt + (task[TASK_PANEL]! + unit) * TILE]!;
        for (let k = 0; k < count!; k++) v += weight[w! * 4 + k * width + unit]! * state[first + (input! + k) * TILE]!;
        v += bias[constantsAt! * 4 + unit]!; // constants lie in whole vec4: bias, scale, shift
        if (gate !== TASK_NONE) v *= sigmoid(side[sideAt + (gate! + unit) * TILE]!);
        if (addend !== TASK_NONE) v += side[sideAt + (addend! + unit) * TILE]!;
        if ((flags! & TASK_HAS_SKIP) !== 0) v += state[first + task[TASK_SKIPS + unit]! * TILE]!;
        if (raw !== TASK_NONE) state[first + (raw! + unit) * TILE] = v;
        if ((flags! & TASK_HAS_SCALE) !== 0) v = v * bias[constantsAt! * 4 + padded + unit]! + bias[constantsAt! * 4 + 2 * padded + unit]!;
        state[first + (output! + unit) * TILE] = activate(flags! & 255, v);
      }
    }
    if (constants.HAS_LOG_DET) log_det[row]! += total + block;
  }
}
