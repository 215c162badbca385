// What the library's build does to minified chunks: names that chunks import from each other, and the order of what they declare.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { orderedPieces, takenApart } from './pieces.mjs';
import { assembled, segmentsOf } from './source-map.mjs';

/** Pieces as order.mjs found that they compress best, one a line: file and name. */
export const orderFile = join(dirname(fileURLToPath(import.meta.url)), 'order.txt');

/** What a piece is called in order.txt, whatever the minifier calls it. */
export function keyOf({ at }, segments, { sources, names }) {
  const [source, , , name] = segments.find((segment) => segment.at === at).fields;
  return `${sources[source].replace('../src/', '')} ${names[name] ?? ''}`;
}

/** Ranks of pieces: those listed, and one that is not behind the last of its file. */
function ranksOf(keys, listed) {
  const ranks = new Map(listed.map((key, index) => [key, index]));
  const ofFile = new Map(listed.map((key, index) => [key.split(' ')[0], index]));
  return keys.map((key) => ranks.get(key) ?? (ofFile.get(key.split(' ')[0]) ?? listed.length) + 0.5);
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
 * Pieces lie as order.txt has them. Chunks list each other's names as the minifier left them: a bundler lists other names beside those, as short,
 * which costs 0.4 kB. Names that `import()` reads stay.
 */
export const rearranged = {
  name: 'rearranged',
  generateBundle(_, bundle) {
    const listed = readFileSync(orderFile, 'utf8').trim().split('\n');
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
      const order = content
        ? orderedPieces(
            pieces,
            ranksOf(
              pieces.map((piece) => keyOf(piece, segments, content)),
              listed,
            ),
          )
        : pieces;
      const comment = /\n\/\/# sourceMappingURL.*\s*$/.exec(chunk.code)?.[0] ?? '';
      const { code, mappings } = assembled(chunk.code, segments, [head, ...partsOf(order), tail, comment]);
      chunk.code = code;
      if (content) map.source = JSON.stringify({ ...content, mappings });
    }
  },
};
