// Cuts the units of one layer into strips for the sequential solve, and blocks them as a triangular solve is blocked.
//
// A step makes few units ready: two outputs a feature, or H / D hidden units. A strip of 4 units loads as much for each input as one
// of 8. So the sums over what is known when a block of steps begins are taken for the whole block at once, in strips of 8 (prefix
// strips, kept as partial sums), and each step adds only the inputs that became known inside the block.
//
// Wide layers are blocked once more: steps are taken in panels of about 128 units, and the sums over what was known before a panel
// are a product of its own, for all rows at once, from which the strips of the panel go on.

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
  /** Row of the side tensor for the sum of its panel's product for the first unit, or null. */
  readonly panelRow: number | null;
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
export function cutStrips(units: readonly number[], widest = WIDEST): number[][] {
  const strips: number[][] = [];
  for (let at = 0; at < units.length; at += widest) {
    const strip = units.slice(at, at + widest);
    while (strip.length % NARROWEST > 0) strip.push(-1);
    strips.push(strip);
  }
  return strips;
}

/** Sums over inputs 0 … count − 1 of a stage's region for all units of a panel. */
export interface PanelProduct {
  readonly stage: number;
  readonly units: readonly number[];
  readonly count: number;
  /** Row of the side tensor for the first unit. */
  readonly at: number;
}

/** How many packed columns of a region are known. */
export interface Columns {
  /** Before the features of a step are computed, its own units among them. */
  readonly by: (step: number) => number;
  /** Before anything of a step is computed. */
  readonly before: (step: number) => number;
}

/** Units of a panel, as many as an invocation of masked-linear-quad computes. */
const PANEL = 128;
/** Panels below which one dispatch is as fast. */
const FEWEST = 3;
/** What a product is worth a dispatch for: inputs and outputs. A stage with fewer units goes on with the panel before. */
const LEAST_INPUTS = 64;
const LEAST_UNITS = 32;

/**
 * Steps at which panels begin; 0 alone where no two layers, one behind the other, have units for several of them.
 *
 * @param pairs of such layers: units of both that are computable by each step.
 */
export function cutPanels(pairs: readonly (readonly [before: readonly number[], behind: readonly number[]])[], panel = PANEL): number[] {
  const cuts = [0];
  const wide = pairs.filter((pair) => pair.every((ends) => ends.at(-1)! >= FEWEST * panel));
  const [ends = []] = wide.map(([before]) => before).toSorted((a, b) => b.at(-1)! - a.at(-1)!);
  let begin = 0;
  for (let step = 1; step < ends.length; step++) {
    if (ends[step]! - begin <= panel || ends[step - 1]! === begin) continue;
    cuts.push(step);
    begin = ends[step - 1]!;
  }
  return cuts;
}

const unitsOf = (groups: readonly Group[]): number[] => groups.flatMap(({ units }) => units);

/** Steps of one block: as many as make about one strip of 8. */
function stepsOfBlock(groups: readonly Group[]): number {
  return Math.max(1, Math.round((WIDEST * groups.length) / unitsOf(groups).length));
}

/**
 * @param groups units by step, steps ascending, empty groups left out.
 * @param partialRow first state row of the stage's partial sums; used again by every block.
 * @param panelRow first row of the side tensor for the sums of the stage's panels; used again by every panel.
 * @param cuts steps at which panels begin, ascending.
 * @returns the strips, how many rows the sums take of state and side, and at each cut the product that precedes its panel.
 */
export function planStrips(
  stage: number,
  groups: readonly Group[],
  columns: Columns,
  partialRow: number,
  panelRow: number,
  cuts: readonly number[],
): { strips: Strip[]; partialRows: number; panelRows: number; products: (PanelProduct | null)[] } {
  const strips: Strip[] = [];
  let [partialRows, panelRows] = [0, 0];
  const perBlock = stepsOfBlock(groups);
  const planPanel = (panel: readonly Group[], summed: number): void => {
    let row = panelRow;
    for (let begin = 0; begin < panel.length; begin += perBlock) {
      const block = panel.slice(begin, begin + perBlock);
      const { step } = block[0]!;
      const known = block.length > 1 ? columns.by(step) : 0;
      const prefixed = known > summed;
      if (prefixed) {
        let offset = 0;
        for (const units of cutStrips(unitsOf(block))) {
          strips.push({
            stage,
            units,
            step,
            row: partialRow + offset,
            rawRow: null,
            from: summed,
            count: known,
            partialRow: null,
            panelRow: summed > 0 ? row + offset : null,
            prefix: true,
          });
          offset += units.length;
        }
        partialRows = Math.max(partialRows, offset);
      }
      let inBlock = 0;
      for (const group of block) {
        // Padding lanes of a group fall on the first rows of the next ones, which are written later and not read before.
        let offset = 0;
        // Among panels the kernel looks for partial sums in strips of 4 alone.
        for (const units of cutStrips(group.units, prefixed && cuts.length > 1 ? NARROWEST : WIDEST)) {
          strips.push({
            stage,
            units,
            step: group.step,
            row: group.row + offset,
            rawRow: group.rawRow === null ? null : group.rawRow + offset,
            from: prefixed ? known : summed,
            count: columns.by(group.step),
            partialRow: prefixed ? partialRow + inBlock + offset : null,
            panelRow: summed > 0 && !prefixed ? row + inBlock + offset : null,
            prefix: false,
          });
          // Padding lanes read beyond the partial sums: still their region.
          if (prefixed) partialRows = Math.max(partialRows, inBlock + offset + units.length);
          offset += units.length;
        }
        inBlock += group.units.length;
      }
      row += inBlock;
    }
  };
  const panels: { cut: number; groups: Group[] }[] = [{ cut: 0, groups: [] }];
  let region = 0; // which cut the group before stands behind
  for (const group of groups) {
    const cut = cuts.findLastIndex((step) => step <= group.step);
    const last = panels.at(-1)!;
    // A panel begins where its product is taken: the sums of the panel before are gone then.
    const begins = cut > region && columns.before(cuts[cut]!) >= LEAST_INPUTS && unitsOf(last.groups).length >= LEAST_UNITS;
    if (begins) panels.push({ cut, groups: [group] });
    else last.groups.push(group);
    region = cut;
  }
  const products = cuts.map((): PanelProduct | null => null);
  for (const { cut, groups: panel } of panels) {
    const count = cut > 0 ? columns.before(cuts[cut]!) : 0;
    const units = unitsOf(panel);
    if (count > 0) {
      products[cut] = { stage, units, count, at: panelRow };
      panelRows = Math.max(panelRows, units.length + PADDING);
    }
    planPanel(panel, count);
  }
  return { strips, partialRows, panelRows, products };
}
