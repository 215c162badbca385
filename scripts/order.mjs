// Searches for an order of what the chunks in dist/ declare that compresses better, from the one of the last build, and writes it to order.txt,
// which the build follows. Like text beside like text is what gzip gains from, within 32 kB; no rule found it as well as trying does.
//
//   npm run build && node scripts/order.mjs [minutes]
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { orderedPieces, takenApart } from './pieces.mjs';
import { keyOf, orderFile, partsOf } from './rearrange.mjs';
import { segmentsOf } from './source-map.mjs';

const dist = join(dirname(fileURLToPath(import.meta.url)), '../dist');
const minutes = Number(process.argv[2] ?? 10);
/** Chunks that are worth it, with their shares of the time. */
const shares = { core: 0.7, reverse: 0.25, later: 0.05 };

const draw = (count) => Math.floor(Math.random() * count);
const deflated = (text) => deflateRawSync(text, { level: 9 }).length;

/** For each text those that save most behind it, best first. */
function alike(texts) {
  const alone = texts.map(deflated);
  return texts.map((text, index) => {
    const saved = texts.map((other, at) => (at === index ? -1 : alone[index] + alone[at] - deflated(text + other)));
    return [...texts.keys()].sort((a, b) => saved[b] - saved[a]).slice(0, 12);
  });
}

/** Another order: some pieces go beside one that is like them, or anywhere, or two change places. */
function moved(order, likes) {
  const next = [...order];
  const from = draw(next.length);
  const chance = Math.random();
  if (chance < 0.1) {
    const other = draw(next.length);
    [next[from], next[other]] = [next[other], next[from]];
    return next;
  }
  const isNearLike = chance < 0.6;
  const run = next.splice(from, 1 + (isNearLike ? draw(3) : Math.floor(40 * Math.random() ** 3)));
  const like = isNearLike ? next.indexOf(likes[run[0]][draw(12)]) : -1;
  next.splice(like < 0 ? draw(next.length + 1) : like + draw(2), 0, ...run);
  return next;
}

/** Keys of a chunk's pieces in the best order that was found until `end`. */
function searched(name, end) {
  const code = readFileSync(join(dist, `${name}.js`), 'utf8');
  const map = JSON.parse(readFileSync(join(dist, `${name}.js.map`), 'utf8'));
  const { pieces } = takenApart(code);
  const textOf = (parts) => parts.map((part) => (typeof part === 'string' ? part : code.slice(...part))).join('');
  const likes = alike(pieces.map(({ parts }) => textOf(parts)));
  const places = new Map(pieces.map((piece, index) => [piece, index]));
  const realised = (order) => {
    const ranks = [];
    for (const [rank, index] of order.entries()) ranks[index] = rank;
    return orderedPieces(pieces, ranks).map((piece) => places.get(piece));
  };
  const sizeOf = (order) => gzipSync(textOf(partsOf(order.map((index) => pieces[index]))), { level: 9 }).length;
  let best = [...pieces.keys()];
  let size = sizeOf(best);
  const first = size;
  while (Date.now() < end) {
    const order = realised(moved(best, likes));
    const tried = sizeOf(order);
    if (tried <= size) [best, size] = [order, tried];
  }
  console.log(`${name}: ${first} to ${size} bytes gzipped`);
  const segments = segmentsOf(code, map);
  return best.map((index) => keyOf(pieces[index], segments, map));
}

const start = Date.now();
let share = 0;
const keys = Object.entries(shares).flatMap(([name, part]) => {
  share += part;
  return searched(name, start + 60_000 * minutes * share);
});
writeFileSync(orderFile, `${keys.join('\n')}\n`);
