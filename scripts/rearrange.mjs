// What the library's build does to minified chunks: names that chunks import from each other, and the order of what they declare.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { orderedPieces, renamed, takenApart } from './pieces.mjs';
import { assembled, segmentsOf } from './source-map.mjs';

const orderFile = join(dirname(fileURLToPath(import.meta.url)), 'order.txt');

/** Pieces as order.mjs found that they compress best, one a line: file, name, and letters that change places in it, `ab>ba`. */
export const readOrder = () =>
  readFileSync(orderFile, 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      const [file, name, exchange = ''] = line.split(' ');
      return { file, key: `${file} ${name}`, exchange };
    });
export const writeOrder = (list) =>
  writeFileSync(
    orderFile,
    list
      .map(({ key, exchange }) => `${key} ${exchange}`.trimEnd())
      .join('\n')
      .concat('\n'),
  );

/** What a piece is called in order.txt, whatever the minifier calls it. */
export function keyOf({ at }, segments, { sources, names }) {
  const [source, , , name] = segments.find((segment) => segment.at === at).fields;
  return `${sources[source].replace('../src/', '')} ${names[name] ?? ''}`;
}

/** Pieces in the order of a list, with names as they are there. One that is not listed comes behind the last of its file. */
function arranged(pieces, keys, listed) {
  const places = new Map(listed.map(({ key }, index) => [key, index]));
  const last = new Map(listed.map(({ file }, index) => [file, index]));
  const ranks = keys.map((key) => places.get(key) ?? (last.get(key.split(' ')[0]) ?? listed.length) + 0.5);
  const named = pieces.map((piece, index) => ({ ...piece, parts: renamed(piece, listed[ranks[index]]?.exchange ?? '') }));
  return orderedPieces(named, ranks);
}

/** Parts of a chunk for its pieces, one behind the other. */
export function partsOf(pieces) {
  const parts = [];
  let open = false;
  for (const piece of pieces) {
    if (piece.isVariable) parts.push(open ? ',' : 'var ');
    else if (open) parts.push(';');
    parts.push(...piece.parts);
    open = piece.isVariable;
  }
  return open ? [...parts, ';'] : parts;
}

const pair = ([other, own]) => (other === own ? other : `${other} as ${own}`);
const list = (keyword, pairs, file) => `${keyword}{${pairs.map(pair).join(',')}}${file ? `from"${file}"` : ''};`;
const byLength = (a, b) => a.length - b.length || (a < b ? -1 : 1);

/** Statements before and after the pieces of a chunk. An entry passes on what it imports, in one statement a file. */
function links({ imports, exports }, { isEntry, isShared }) {
  if (!isEntry) {
    const names = isShared ? exports.map(([own]) => [own, own]).sort(([a], [b]) => byLength(a, b)) : exports;
    return [imports.map(({ file, names }) => list('import', names, file)).join(''), list('export', names)];
  }
  const passed = imports.map(({ file, names }) => {
    const others = new Map(names.map(([other, own]) => [own, other]));
    const own = exports.filter(([name]) => others.has(name));
    return list(
      'export',
      own.map(([name, theirs]) => [others.get(name), theirs]),
      file,
    );
  });
  return [passed.join(''), ''];
}

/**
 * Pieces lie, and name what is theirs, as order.txt has it. Chunks list each other's names as the minifier left them: a bundler lists other names beside those, as short,
 * which costs 0.4 kB. Names that `import()` reads stay.
 */
export const rearranged = {
  name: 'rearranged',
  generateBundle(_, bundle) {
    const listed = readOrder();
    const chunks = Object.values(bundle).filter(({ type }) => type === 'chunk');
    const dynamic = new Set(chunks.flatMap(({ dynamicImports }) => dynamicImports));
    const taken = new Map(chunks.map((chunk) => [chunk, takenApart(chunk.code)]));
    const isShared = ({ isEntry, fileName }) => !isEntry && !dynamic.has(fileName);
    const ownNames = new Map(
      chunks.filter(isShared).map((chunk) => [`./${chunk.fileName}`, new Map(taken.get(chunk).exports.map(([own, name]) => [name, own]))]),
    );
    for (const chunk of chunks) {
      const { imports, exports, pieces } = taken.get(chunk);
      for (const { file, names } of imports) for (const name of names) name[0] = ownNames.get(file)?.get(name[0]) ?? name[0];
      const [head, tail] = links({ imports, exports }, { isEntry: chunk.isEntry, isShared: isShared(chunk) });
      const map = bundle[`${chunk.fileName}.map`];
      const content = map && JSON.parse(map.source);
      const segments = content ? segmentsOf(chunk.code, content) : [];
      const keys = content && pieces.map((piece) => keyOf(piece, segments, content));
      const order = content ? arranged(pieces, keys, listed) : pieces;
      const comment = /\n\/\/# sourceMappingURL.*\s*$/.exec(chunk.code)?.[0] ?? '';
      const { code, mappings } = assembled(chunk.code, segments, [head, ...partsOf(order), tail, comment]);
      chunk.code = code;
      if (content) map.source = JSON.stringify({ ...content, mappings });
    }
  },
};
