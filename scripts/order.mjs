// Searches for an order of what the chunks in dist/ declare, and for names in it, that compress better, from those of the last build, and writes
// them to order.txt, which the build follows. Like text beside like text is what gzip gains from, within 32 kB; no rule found it as well as trying
// does.
//
//   npm run build && node scripts/order.mjs [minutes]
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import { orderedPieces, renamed, takenApart } from './pieces.mjs';
import { keyOf, partsOf, readOrder, writeOrder } from './rearrange.mjs';
import { segmentsOf, textOf } from './source-map.mjs';

const dist = join(dirname(fileURLToPath(import.meta.url)), '../dist');
const minutes = Number(process.argv[2] ?? 10);
/** Chunks that are worth it, with their shares of the time. */
const shares = { core: 0.7, later: 0.1, reverse: 0.2 };
/** How far gzip looks back. */
const WINDOW = 32_768;
/** Exchanges that are tried in a piece at once. */
const ATTEMPTS = 8;
/** Letters that minified names of locals are. */
const letters = [...'etnriaoscludfpmhg_vybxwCSTkDEAOj'];

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

/** Letters that change places, `ab>ba`, as a map and back. */
const mapOf = (exchange) => {
  const [from, to] = exchange.split('>');
  return new Map([...from].map((letter, index) => [letter, to[index]]));
};
const exchangeOf = (map) => {
  const pairs = [...map].filter(([from, to]) => from !== to);
  return pairs.length === 0 ? '' : `${pairs.map(([from]) => from).join('')}>${pairs.map(([, to]) => to).join('')}`;
};
/** One exchange after another. */
const followed = (first, second) =>
  new Map(
    [...new Set([...first.keys(), ...second.keys()])].map((letter) => {
      const between = first.get(letter) ?? letter;
      return [letter, second.get(between) ?? between];
    }),
  );

class Chunk {
  constructor(name) {
    this.code = readFileSync(join(dist, `${name}.js`), 'utf8');
    this.map = JSON.parse(readFileSync(join(dist, `${name}.js.map`), 'utf8'));
    this.pieces = takenApart(this.code).pieces;
    this.places = new Map(this.pieces.map((piece, index) => [piece, index]));
    this.texts = this.pieces.map((piece) => this.textWith(piece, ''));
    this.exchanges = this.pieces.map(() => new Map());
    // Those whose letters are worth a try, more often the more they have.
    this.named = this.pieces.flatMap(({ names, fixed }, index) => {
      const own = [...new Set(names.map(({ name }) => name))].filter((name) => name.length === 1 && !fixed.has(name));
      return own.length > 1 ? own.slice(0, 12).map(() => ({ index, own })) : [];
    });
  }

  textWith(piece, exchange) {
    return renamed(piece, exchange)
      .map((part) => textOf(this.code, part))
      .join('');
  }

  /** As near to an order as the pieces' needs allow. */
  realised(order) {
    const ranks = [];
    for (const [rank, index] of order.entries()) ranks[index] = rank;
    return orderedPieces(this.pieces, ranks).map((piece) => this.places.get(piece));
  }

  sizeOf(order) {
    const pieces = order.map((index) => ({ ...this.pieces[index], parts: [this.texts[index]] }));
    return deflated(partsOf(pieces).join(''));
  }

  /** Size of a piece and of what gzip may copy from it, in what it may copy from itself. */
  sizeAround(order, at, text) {
    let [first, last] = [at, at];
    for (let room = WINDOW; first > 0 && room > 0; first--) room -= this.texts[order[first - 1]].length;
    for (let room = WINDOW; last < order.length - 1 && room > 0; last++) room -= this.texts[order[last + 1]].length;
    return deflated(
      order
        .slice(first, last + 1)
        .map((index, place) => (first + place === at ? text : this.texts[index]))
        .join(),
    );
  }

  /** Exchanges two letters of a piece; null where one of them means something outside. */
  otherNames({ index, own }) {
    const one = own[draw(own.length)];
    const other = Math.random() < 0.8 ? own[draw(own.length)] : letters[draw(letters.length)];
    const { fixed } = this.pieces[index];
    if (one === other || fixed.has(other)) return null;
    const map = this.exchanges[index];
    return new Map(map).set(one, map.get(other) ?? other).set(other, map.get(one) ?? one);
  }

  /** Tries other names in one piece. @returns the size of all */
  rename(order, size) {
    const named = this.named[draw(this.named.length)];
    const { index } = named;
    const at = order.indexOf(index);
    let around = this.sizeAround(order, at, this.texts[index]);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const exchange = this.otherNames(named);
      if (!exchange) continue;
      const [old, text] = [this.texts[index], this.textWith(this.pieces[index], exchangeOf(exchange))];
      const tried = this.sizeAround(order, at, text);
      if (tried > around) continue;
      this.texts[index] = text;
      const all = this.sizeOf(order);
      if (all > size) this.texts[index] = old;
      else [size, around, this.exchanges[index]] = [all, tried, exchange];
    }
    return size;
  }
}

/** A chunk's list in the best order, with the best names, that were found until `end`. */
function searched(name, end, before) {
  const chunk = new Chunk(name);
  const likes = alike(chunk.texts);
  let best = [...chunk.pieces.keys()];
  let size = chunk.sizeOf(best);
  const first = size;
  while (Date.now() < end) {
    if (Math.random() < 0.5) {
      const order = chunk.realised(moved(best, likes));
      const tried = chunk.sizeOf(order);
      if (tried <= size) [best, size] = [order, tried];
      continue;
    }
    size = chunk.rename(best, size);
  }
  console.log(`${name}: ${first} to ${size} bytes`);
  const segments = segmentsOf(chunk.code, chunk.map);
  return best.map((index) => {
    const key = keyOf(chunk.pieces[index], segments, chunk.map);
    const built = before.get(key) ?? '';
    // The build has left out what it could not do.
    const done = [...built].some((letter) => chunk.pieces[index].fixed.has(letter)) ? '' : built;
    return { key, exchange: exchangeOf(followed(mapOf(done), chunk.exchanges[index])) };
  });
}

const before = new Map(readOrder().map(({ key, exchange }) => [key, exchange]));
const start = Date.now();
let share = 0;
writeOrder(
  Object.entries(shares).flatMap(([name, part]) => {
    share += part;
    return searched(name, start + 60_000 * minutes * share, before);
  }),
);
