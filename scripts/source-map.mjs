// Text put together anew from parts of another, and its source map with it.

const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Offsets at which the lines of a text begin. */
const lineStarts = (code) => [0, ...[...code.matchAll(/\n/g)].map(({ index }) => index + 1)];

/** What a source map says of a text: { at, fields }, by offset; fields are source, line, column and perhaps a name, as indices. */
export function segmentsOf(code, { mappings }) {
  const starts = lineStarts(code);
  const fields = [0, 0, 0, 0];
  return mappings.split(';').flatMap((line, index) => {
    let at = starts[index];
    return line
      .split(',')
      .filter(Boolean)
      .map((text) => {
        const [columns, ...changes] = decoded(text);
        at += columns;
        for (const [field, change] of changes.entries()) fields[field] += change;
        return { at, fields: fields.slice(0, changes.length) };
      });
  });
}

function decoded(text) {
  const values = [];
  let [value, shift] = [0, 0];
  for (const char of text) {
    const digit = digits.indexOf(char);
    value |= (digit & 31) << shift;
    shift += 5;
    if (digit & 32) continue;
    values.push(value & 1 ? -(value >> 1) : value >> 1);
    [value, shift] = [0, 0];
  }
  return values;
}

function encoded(value) {
  let rest = value < 0 ? -value * 2 + 1 : value * 2;
  let text = '';
  do {
    text += digits[(rest & 31) | (rest > 31 ? 32 : 0)];
    rest >>= 5;
  } while (rest > 0);
  return text;
}

/**
 * A text of parts, each a text of its own or a range [start, end] of `code`, or [start, end, text] with another text in its place; and the
 * mappings of the segments in it.
 * @returns { code, mappings }
 */
export function assembled(code, segments, parts) {
  let text = '';
  const moved = [];
  for (const part of parts) {
    if (typeof part !== 'string') {
      const [start, end] = part;
      const first = firstFrom(segments, start);
      // What a range begins with may be mapped by what lies before it.
      if (first > 0 && segments[first]?.at !== start) moved.push({ at: text.length, fields: segments[first - 1].fields });
      for (let index = first; segments[index]?.at < end; index++)
        moved.push({ at: segments[index].at - start + text.length, fields: segments[index].fields });
    }
    text += textOf(code, part);
  }
  return { code: text, mappings: mappingsOf(text, moved) };
}

/** The text of a part of `assembled`. */
export const textOf = (code, part) => (typeof part === 'string' ? part : (part[2] ?? code.slice(part[0], part[1])));

/** Index of the first segment at an offset or after it. */
function firstFrom(segments, offset) {
  let [low, high] = [0, segments.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (segments[middle].at < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

function mappingsOf(code, segments) {
  const starts = lineStarts(code);
  const before = [0, 0, 0, 0];
  const lines = starts.map(() => []);
  let line = 0;
  let column = 0;
  for (const { at, fields } of segments) {
    while (starts[line + 1] <= at) [line, column] = [line + 1, 0];
    const values = [at - starts[line] - column, ...fields.map((field, index) => field - before[index])];
    column = at - starts[line];
    for (const [index, field] of fields.entries()) before[index] = field;
    lines[line].push(values.map(encoded).join(''));
  }
  return lines.map((list) => list.join(',')).join(';');
}
