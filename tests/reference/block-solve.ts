// Twin of shaders/lib/block-solve.wgsl, one row at a time; a kernel's twin adds its transformer.

import { BLOCK_ADDS, BLOCK_ENDS, BLOCK_FEATURE, BLOCK_RECTIFIES, BLOCK_WORDS } from '../../src/kernels/block-solve.js';
import type * as affine from '../../src/kernels/generated/block-solve-affine.js';
import type { SolveTransform } from './autoregressive-solve.js';
import { TILE, tiled } from './layout.js';
import type { TwinCall } from './twin.js';

/** The part of a twin call that no transformer changes. */
type BlockTwinCall = Pick<TwinCall<typeof affine.blockSolveAffine>, 'buffers' | 'params' | 'rows'> & {
  readonly constants: Readonly<Record<'STAGES' | 'FEATURE_EIGHTS' | 'UNIT_EIGHTS', number>> & { readonly HAS_LOG_DET: boolean };
};

export function blockTwin({ buffers, params, constants, rows }: BlockTwinCall, transform: SolveTransform): void {
  const { source, weight, tasks, state, result, log_det } = buffers;
  for (let row = 0; row < rows; row++) {
    const first = tiled(params.nodes, row);
    const rowsAt = tiled(params.dim, row);
    const held = Array.from(
      { length: constants.STAGES },
      (_, stage) => new Float64Array(8 * (stage === 0 ? constants.FEATURE_EIGHTS : constants.UNIT_EIGHTS)),
    );
    let logDet = 0;
    for (let t = 0; t < params.tasks; t++) {
      const task = [...tasks.subarray(t * BLOCK_WORDS, (t + 1) * BLOCK_WORDS)] as [
        number,
        number,
        number,
        number,
        number,
        number,
        number,
        number,
      ];
      if (task[0] === BLOCK_FEATURE) {
        const [, feature, parameters, stride, slot] = task;
        const place = (p: number) => first + (parameters + p * stride) * TILE;
        const [value, term] = transform(
          source[rowsAt + feature * TILE]!,
          (p) => state[place(p)]!,
          (p, stored) => {
            state[place(p)] = stored;
          },
        );
        result[rowsAt + feature * TILE] = value;
        held[0]![slot] = value;
        logDet += term;
        continue;
      }
      const [stage, shape, begin, count, unitRow, flags, slot] = task;
      const [fours, turns] = [shape % 65536, Math.floor(shape / 65536)];
      const inputs = held[stage]!;
      const next = held[stage + 1];
      for (let unit = 0; unit < count; unit++) {
        const four = Math.floor(unit / 4);
        // Of the last four a unit stands in several places where these are few.
        const lane = four === fours - 1 ? (unit % 4) % turns : unit % 4;
        const at = 4 * begin + four * (4 * inputs.length + 16) + 4 * lane;
        const place = first + (unitRow + unit) * TILE;
        let v = weight[at + 4 * inputs.length]! + (flags & BLOCK_ADDS ? state[place]! : 0);
        for (const [k, input] of inputs.entries()) v += weight[at + 16 * Math.floor(k / 4) + (k % 4)]! * input;
        if (next && flags & BLOCK_ENDS) next[slot + unit] = flags & BLOCK_RECTIFIES && v < 0 ? 0 : v;
        else state[place] = v;
      }
    }
    if (constants.HAS_LOG_DET) log_det[row]! += logDet;
  }
}
