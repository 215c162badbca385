// From a table to the rows that a flow takes: columns by name or by place, and what cannot be learned from.

import { uniformGenerator } from '../flows/recipes/initial.js';
import type { Rows } from './jobs.js';
import { contextNames, featureNames, type SavedFlow } from './saved.js';
import { type Choose, isNamed, type Table } from './table.js';
import { CommandError } from './usage.js';

const list = (names: readonly string[]): string => names.map((name) => `“${name}”`).join(', ');

/** A column that varies by less than this part of its size has lost what varies to the rounding of float32. */
const LEAST_VARIATION = 1e-5;

/** Names of columns, or their numbers from 1 on, as places. @throws CommandError */
export function placesOf(path: string, columns: readonly string[], wanted: readonly string[]): number[] {
  const places = wanted.map((name) => {
    const place = columns.indexOf(name);
    if (place >= 0 && columns.includes(name, place + 1)) throw new CommandError(`${path} has two columns “${name}”`);
    if (place >= 0) return place;
    const number = /^\d+$/.test(name) ? Number(name) : 0;
    if (number >= 1 && number <= columns.length) return number - 1;
    throw new CommandError(`${path} has no column “${name}”; it has ${list(columns)}`);
  });
  const twice = places.find((place, i) => places.indexOf(place) !== i);
  if (twice !== undefined) throw new CommandError(`column “${columns[twice]}” is named twice`);
  return places;
}

/** Columns of a table as float32. */
export function take({ columns, rows, values }: Table, places: readonly number[]): Float32Array {
  const width = columns.length;
  const taken = new Float32Array(rows * places.length);
  for (let row = 0; row < rows; row++)
    for (const [i, place] of places.entries()) taken[row * places.length + i] = values[row * width + place]!;
  return taken;
}

export interface Divided {
  readonly features: number[];
  readonly context: number[];
}

/** Features are the columns that `columns` names, or all that are no context. @throws CommandError */
export function divideColumns(
  path: string,
  names: readonly string[],
  columns: readonly string[] | null,
  context: readonly string[],
): Divided {
  const conditions = placesOf(path, names, context);
  const features = columns ? placesOf(path, names, columns) : [...names.keys()].filter((place) => !conditions.includes(place));
  if (features.length === 0) throw new CommandError(`${path} has no column left for the flow beside ${list(context)}`);
  const both = features.find((place) => conditions.includes(place));
  if (both !== undefined) throw new CommandError(`column “${names[both]}” cannot be a feature and a context`);
  const double = [...features, ...conditions].find((place) => names.indexOf(names[place]!) !== place);
  if (double !== undefined) throw new CommandError(`${path} has two columns “${names[double]}”`);
  return { features, context: conditions };
}

/** @throws CommandError where a flow cannot learn from the rows, with the name of the column. */
export function checkRows(path: string, table: Table, { features, context }: Divided, levels: number | null): void {
  const { rows } = table;
  if (rows < 10) throw new CommandError(`${path} has ${rows} ${rows === 1 ? 'row' : 'rows'}; a flow needs 10 at least`);
  for (const place of features) {
    if (levels === null) checkVaries(path, table, place, 'so that it has no density; --columns leaves it out');
    else checkLevels(path, table, place, levels);
  }
  for (const place of context) checkVaries(path, table, place, 'so that nothing depends on it; --context-columns may leave it out');
}

function checkLevels(path: string, { columns, rows, values }: Table, place: number, levels: number): void {
  for (let row = 0; row < rows; row++) {
    const value = values[row * columns.length + place]!;
    if (!Number.isInteger(value) || value < 0 || value >= levels)
      throw new CommandError(
        `${path}: row ${row + 1} of the numbers, column “${columns[place]}” holds ${value}; --levels ${levels} takes integers from 0 to ${levels - 1}`,
      );
  }
}

/** @param constant what follows from one number throughout. */
function checkVaries(path: string, { columns, rows, values }: Table, place: number, constant: string): void {
  const at = (row: number) => values[row * columns.length + place]!;
  let mean = 0;
  let varies = false;
  for (let row = 0; row < rows; row++) {
    mean += at(row) / rows;
    varies ||= at(row) !== at(0);
  }
  if (!varies) throw new CommandError(`${path}: column “${columns[place]}” holds one number throughout, ${constant}`);
  let variance = 0;
  for (let row = 0; row < rows; row++) variance += (at(row) - mean) ** 2 / rows;
  if (Math.sqrt(variance) < LEAST_VARIATION * Math.abs(mean))
    throw new CommandError(
      `${path}: column “${columns[place]}” varies too little beside its size, ${mean.toPrecision(3)}, for float32; subtract its mean first`,
    );
}

/** 0 … rows − 1 in an order of that seed: files are often sorted, and the held-out rows are the last ones. */
function shuffled(rows: number, seed: number): Uint32Array {
  const order = Uint32Array.from({ length: rows }, (_, i) => i);
  const uniform = uniformGenerator(seed);
  for (let i = rows - 1; i > 0; i--) {
    const j = Math.floor(uniform() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** Rows to train on, and a share of them to hold out. */
export function divideRows(
  table: Table,
  { features, context }: Divided,
  share: number,
  seed: number,
): { train: Rows; validation: Rows | null } {
  const order = shuffled(table.rows, seed);
  const held = share === 0 ? 0 : Math.max(1, Math.round(share * table.rows));
  const part = (from: number, to: number): Rows => {
    const width = table.columns.length;
    const values = new Float32Array((to - from) * width);
    for (let i = from; i < to; i++) values.set(table.values.subarray(order[i]! * width, (order[i]! + 1) * width), (i - from) * width);
    const some = { columns: table.columns, rows: to - from, values };
    return { x: take(some, features), context: context.length > 0 ? take(some, context) : null };
  };
  const count = table.rows - held;
  return { train: part(0, count), validation: held > 0 ? part(count, table.rows) : null };
}

/** Whether the names of what a flow takes of a file are known. */
const knows = ({ note, description }: SavedFlow, what: 'all' | 'context'): boolean =>
  (description.context_features === 0 || note.contextColumns !== undefined) && (what === 'context' || note.columns !== undefined);

const namesFor = (flow: SavedFlow, what: 'all' | 'context'): string[] => [
  ...(what === 'all' ? featureNames(flow) : []),
  ...contextNames(flow),
];

/** The columns that a flow takes of a file; all of it where their names are not known. */
export function chooseFor(path: string, flow: SavedFlow, what: 'all' | 'context'): Choose | undefined {
  if (!knows(flow, what)) return undefined;
  return (columns) => new Set(placesOf(path, columns, namesFor(flow, what)).map((place) => columns[place]!));
}

/** The numbers that a flow takes of each row, by name where both know names, else by place. @throws CommandError */
function match(path: string, table: Table, flow: SavedFlow, what: 'all' | 'context'): number[] {
  const names = namesFor(flow, what);
  const { columns } = table;
  if (knows(flow, what) && isNamed(columns)) return placesOf(path, columns, names);
  if (columns.length === names.length) return [...names.keys()];
  throw new CommandError(
    `${path} has ${columns.length} ${columns.length === 1 ? 'column' : 'columns'}; ${flow.path} needs ${names.length}: ${list(names)}`,
  );
}

/** Features and context of each row. @throws CommandError */
export function rowsFor(path: string, table: Table, flow: SavedFlow): Rows {
  const places = match(path, table, flow, 'all');
  const { features, context_features: contexts } = flow.description;
  return { x: take(table, places.slice(0, features)), context: contexts > 0 ? take(table, places.slice(features)) : null };
}

/** Rows of a context alone. @throws CommandError */
export const contextFor = (path: string, table: Table, flow: SavedFlow): Float32Array => take(table, match(path, table, flow, 'context'));
