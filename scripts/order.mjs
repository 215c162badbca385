// Searches for an order of the modules in dist/core.js that compresses better, from the one of the last build, and writes it to order.txt, which
// the build follows. Like text beside like text is what gzip gains from, within 32 kB; no rule found it as well as trying does.
//
//   npm run build && node scripts/order.mjs [minutes]
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { importedAtOnce, orderFile } from './chunks.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const minutes = Number(process.argv[2] ?? 10);

/** Text of each module in the chunk, by what its source map says. */
function textsOf(file) {
  const code = readFileSync(join(root, 'dist', file), 'utf8');
  const { sources, mappings } = JSON.parse(readFileSync(join(root, 'dist', `${file}.map`), 'utf8'));
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const lines = code.split('\n');
  const texts = new Map();
  let source = 0;
  for (const [index, line] of mappings.split(';').entries()) {
    const starts = [];
    let column = 0;
    for (const segment of line.split(',').filter(Boolean)) {
      const values = [];
      let [value, shift] = [0, 0];
      for (const char of segment) {
        const digit = digits.indexOf(char);
        value |= (digit & 31) << shift;
        shift += 5;
        if (digit & 32) continue;
        values.push(value & 1 ? -(value >> 1) : value >> 1);
        [value, shift] = [0, 0];
      }
      column += values[0];
      source += values[1] ?? 0;
      starts.push([column, sources[source].replace('../src/', '')]);
    }
    for (const [at, [from, name]] of starts.entries())
      texts.set(name, (texts.get(name) ?? '') + lines[index].slice(at === 0 ? 0 : from, starts[at + 1]?.[0]));
  }
  return texts;
}

const texts = textsOf('core.js');
const imports = new Map([...texts.keys()].map((name) => [name, importedAtOnce(name)]));

/** The order that a bundler makes of this one: what a module imports comes before it. */
function realised(order) {
  const seen = new Set();
  const visit = (name) => {
    if (seen.has(name)) return [];
    seen.add(name);
    return [...(imports.get(name) ?? []).flatMap(visit), ...(texts.has(name) ? [name] : [])];
  };
  return order.flatMap(visit);
}
const sizeOf = (order) => gzipSync(order.map((name) => texts.get(name)).join(''), { level: 9 }).length;

let best = realised([...texts.keys()]);
let size = sizeOf(best);
const first = size;
const draw = (count) => Math.floor(Math.random() * count);
for (const end = Date.now() + 60_000 * minutes; Date.now() < end; ) {
  const moved = [...best];
  const run = moved.splice(draw(best.length), 1 + draw(4));
  moved.splice(draw(moved.length + 1), 0, ...run);
  const order = realised(moved);
  const tried = sizeOf(order);
  if (tried > size) continue;
  [best, size] = [order, tried];
}
console.log(`${first} to ${size} bytes gzipped`);
writeFileSync(orderFile, `${best.join('\n')}\n`);
