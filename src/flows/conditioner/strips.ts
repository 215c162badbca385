// Cuts the units of one layer into strips for the sequential solve, and blocks them as a triangular solve is blocked.
//
// A step makes few units ready: two outputs a feature, or H / D hidden units. A strip of 4 units loads as much for each input as one
// of 8. So the sums over what is known when a block of steps begins are taken for the whole block at once, in strips of 8 (prefix
// strips, kept as partial sums), and each step adds only the inputs that became known inside the block.

/** Units of one stage computed together: 8 or 4; −1 for padding. */
export interface Strip {
  readonly stage: number;
  readonly units: readonly number[];
  /** Step at which it runs. */
  readonly step: number;
  /** State row of its first unit. */
  readonly row: number;
  /** State row of the first unit's raw value, where a later stage adds it. */
  readonly rawRow: number | null;
  /** Inputs from … count − 1 of the input's region are summed. */
  readonly from: number;
  readonly count: number;
  /** State row of the first unit's partial sum, or null. */
  readonly partialRow: number | null;
  /** A partial sum: no bias, activation or context, and nothing reads it but the strips of its block. */
  readonly prefix: boolean;
}

/** Units of one stage that become ready at one step; row is the state row of the first. */
export interface Group {
  readonly step: number;
  readonly units: readonly number[];
  readonly row: number;
  readonly rawRow: number | null;
}

const WIDEST = 8;
const NARROWEST = 4;
/** Lanes of a strip at most that hold no unit. */
export const PADDING = NARROWEST - 1;

/** Padded to a multiple of 4, then strips of 8 and, for what is left, one of 4. */
export function cutStrips(units: readonly number[]): number[][] {
  const strips: number[][] = [];
  for (let at = 0; at < units.length; at += WIDEST) {
    const strip = units.slice(at, at + WIDEST);
    while (strip.length % NARROWEST > 0) strip.push(-1);
    strips.push(strip);
  }
  return strips;
}

/** Steps of one block: as many as make about one strip of 8. */
function stepsOfBlock(groups: readonly Group[]): number {
  const units = groups.reduce((sum, group) => sum + group.units.length, 0);
  return Math.max(1, Math.round(WIDEST / (units / Math.max(1, groups.length))));
}

/**
 * @param groups units by step, steps ascending, empty groups left out.
 * @param known inputs that are known at a step.
 * @param partialRow first state row of the stage's partial sums; used again by every block.
 * @returns the strips, and how many rows the partial sums take.
 */
export function planStrips(
  stage: number,
  groups: readonly Group[],
  known: (step: number) => number,
  partialRow: number,
): { strips: Strip[]; partialRows: number } {
  const strips: Strip[] = [];
  let partialRows = 0;
  const perBlock = stepsOfBlock(groups);
  for (let begin = 0; begin < groups.length; begin += perBlock) {
    const block = groups.slice(begin, begin + perBlock);
    const from = block.length > 1 ? known(block[0]!.step) : 0;
    if (from > 0) {
      let row = partialRow;
      for (const units of cutStrips(block.flatMap((group) => group.units))) {
        strips.push({ stage, units, step: block[0]!.step, row, rawRow: null, from: 0, count: from, partialRow: null, prefix: true });
        row += units.length;
      }
      partialRows = Math.max(partialRows, row - partialRow);
    }
    let partial = partialRow;
    for (const group of block) {
      // Padding lanes of a group fall on the first rows of the next ones, which are written later and not read before.
      let offset = 0;
      for (const units of cutStrips(group.units)) {
        const rawRow = group.rawRow === null ? null : group.rawRow + offset;
        const count = known(group.step);
        strips.push({
          stage,
          units,
          step: group.step,
          row: group.row + offset,
          rawRow,
          from,
          count,
          partialRow: from > 0 ? partial + offset : null,
          prefix: false,
        });
        // Padding lanes read beyond the partial sums: still their region.
        if (from > 0) partialRows = Math.max(partialRows, partial + offset + units.length - partialRow);
        offset += units.length;
      }
      partial += group.units.length;
    }
  }
  return { strips, partialRows };
}
