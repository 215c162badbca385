import { ceilDiv } from '../runtime/kernel.js';
import * as source from './generated/optimiser.js';
import { elementKernel, listKernel } from './geometry.js';

/** Invocations of a workgroup, numbers of a word of `kinds`, and how many numbers an invocation takes to update and to square. */
const LANES = source.update.workgroupSize[0];
const SHARE = 4;
const UPDATES = 16;
export const SQUARES = 128;
/** Numbers of the optimiser's own state. */
export const CONTROL = 8;
/** Places in it; shaders/optimiser.wgsl. */
export const CONTROL_AT = { step: 0, rate: 1, norm: 5, failed: 6 } as const;

export const METHOD_NUMBER = { adam: 0, adamw: 1, sgd: 2 } as const;
export const SCHEDULE_NUMBER = { constant: 0, cosine: 1, step: 2 } as const;

export const optimiser = {
  squareSums: /*#__PURE__*/ elementKernel(source.squareSums, ({ length }) => length, SQUARES),
  control: /*#__PURE__*/ listKernel(source.control, () => 1),
  update: /*#__PURE__*/ elementKernel(source.update, ({ length }) => length, UPDATES),
};

/** Numbers of each list that `update` takes, of so many parameters: those of whole blocks. */
export const updateLength = (count: number): number => SHARE * LANES * ceilDiv(count, SHARE * LANES);

/** Partial sums of squares. */
export const squareBlocks = (length: number): number => LANES * ceilDiv(length, SQUARES * LANES);

/** How `kinds` says which of so many numbers are learned, and which of them decay; shaders/optimiser.wgsl. */
export function kindsOf(length: number, isLearned: (i: number) => boolean, decays: (i: number) => boolean): Uint32Array<ArrayBuffer> {
  const kinds: number[] = [];
  for (let from = 0; from < length; from += SHARE * LANES) {
    const words = Array.from({ length: LANES }, (_, lane) => {
      let bits = 0;
      for (let k = 0; k < SHARE; k++) {
        const i = from + SHARE * lane + k;
        if (isLearned(i)) bits |= (decays(i) ? 3 : 1) << (2 * k);
      }
      return bits;
    });
    const block = from / (SHARE * LANES);
    if (words.some((bits) => bits > 0)) for (const bits of words) kinds.push((block << 8) | bits);
  }
  return Uint32Array.from(kinds);
}

/** Numbers that `kinds` speaks of, for the parameters of a call. */
export const countedBy = (kinds: Uint32Array): number => SHARE * kinds.length;
