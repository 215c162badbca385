// What a flow learns from: a toy density with its entropy, or the rows of a file.

import { drawToy, type Toy } from '../../../examples/data/toys.js';
import { DataError, type Table } from '../../../src/cli/table.js';
import { uniformGenerator } from '../../../src/flows/recipes/initial.js';

export interface DataSet {
  readonly name: string;
  readonly columns: readonly string[];
  /** Row-major, in the units they came in. */
  readonly train: Float32Array<ArrayBuffer>;
  readonly validation: Float32Array<ArrayBuffer> | null;
  /** Mean of −log p under the density itself, where it is known. */
  readonly entropy: number | null;
  /** Whether the columns have units of their own, which the flow is to standardise. */
  readonly inUnits: boolean;
  /** What to show of each column. */
  readonly ranges: readonly (readonly [low: number, high: number])[];
}

const TOY_ROWS = { train: 20_000, validation: 2000 };
/** FFJORD's densities lie within it. */
const TOY_RANGE = [-4.4, 4.4] as const;
const LEAST_ROWS = 10;
const HELD_OUT = { share: 0.1, most: 5000, from: 50 };
/** A column that varies by less than this part of its size has lost what varies to the rounding of float32. */
const LEAST_VARIATION = 1e-5;
/** Rows that quantiles are taken of. */
const LOOK = 4000;

export const toyData = (toy: Toy): DataSet => ({
  name: toy.name,
  columns: ['x', 'y'],
  train: drawToy(toy, TOY_ROWS.train, 1),
  validation: drawToy(toy, TOY_ROWS.validation, 2),
  entropy: toy.entropy,
  inUnits: false,
  ranges: [TOY_RANGE, TOY_RANGE],
});

/** From the lowest to the highest, unless a few lie far out. */
export function rangeOf(sorted: Float64Array): readonly [number, number] {
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
  const spread = at(0.99) - at(0.01) || 1;
  const low = Math.max(at(0), at(0.01) - 0.3 * spread);
  const high = Math.min(at(1), at(0.99) + 0.3 * spread);
  const margin = 0.08 * (high - low || 1);
  return [low - margin, high + margin];
}

/** Ranges of the columns of row-major values. */
export function rangesOf(values: Float64Array | Float32Array, width: number): (readonly [number, number])[] {
  const rows = values.length / width;
  const step = Math.max(1, Math.floor(rows / LOOK));
  return Array.from({ length: width }, (_, column) => {
    const seen = Float64Array.from({ length: Math.ceil(rows / step) }, (_, i) => values[i * step * width + column]!);
    return rangeOf(seen.filter(Number.isFinite).sort());
  });
}

/** The same order for the same number of rows; files are often sorted, and the held-out rows are the last ones. */
function shuffled(rows: number): Uint32Array {
  const order = Uint32Array.from({ length: rows }, (_, i) => i);
  const uniform = uniformGenerator(1);
  for (let i = rows - 1; i > 0; i--) {
    const j = Math.floor(uniform() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** @throws DataError for too few rows, or a column that does not vary. */
export function tableData(name: string, { columns, rows, values }: Table): DataSet {
  if (rows < LEAST_ROWS) throw new DataError(`${name} has ${rows} ${rows === 1 ? 'row' : 'rows'}; a flow needs ${LEAST_ROWS} at least.`);
  const width = columns.length;
  for (const [i, column] of columns.entries()) {
    let mean = 0;
    for (let row = 0; row < rows; row++) mean += values[row * width + i]! / rows;
    let variance = 0;
    for (let row = 0; row < rows; row++) variance += (values[row * width + i]! - mean) ** 2 / rows;
    const deviation = Math.sqrt(variance);
    const varies = values.some((value, at) => at % width === i && value !== values[i]);
    if (!varies) throw new DataError(`Column “${column}” holds one number throughout, so that it has no density. Leave it out.`);
    if (deviation < LEAST_VARIATION * Math.abs(mean))
      throw new DataError(
        `Column “${column}” hardly varies beside its size, ${mean.toPrecision(3)}: subtract its mean first, or leave it out.`,
      );
  }
  const order = shuffled(rows);
  const held = rows < HELD_OUT.from ? 0 : Math.min(HELD_OUT.most, Math.round(HELD_OUT.share * rows));
  const part = (from: number, to: number) => {
    const taken = new Float32Array((to - from) * width);
    for (let i = from; i < to; i++) taken.set(values.subarray(order[i]! * width, (order[i]! + 1) * width), (i - from) * width);
    return taken;
  };
  return {
    name,
    columns,
    train: part(0, rows - held),
    validation: held > 0 ? part(rows - held, rows) : null,
    entropy: null,
    inUnits: true,
    ranges: rangesOf(values, width),
  };
}
