// What the library's build puts where: which modules load at once, in which order they lie in a chunk, and which stay in files of their own.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = join(dirname(fileURLToPath(import.meta.url)), '../src');

/** The modules of what loads at once, as order.mjs found that they compress best; one that is not there comes last. */
export const orderFile = join(source, '../scripts/order.txt');

/** Modules that one imports, relative to src/, without types and without what loads later. */
export const importedAtOnce = (/** @type {string} */ file) =>
  [...readFileSync(join(source, file), 'utf8').matchAll(/^(?:import|export) (?!type\b)[^;]*?from '(\.[^']*)';/gm)].map(([, specifier]) =>
    join(dirname(file), specifier.replace(/\.js$/, '.ts')),
  );

/** Puts the modules of a chunk in that order: a bundler keeps them in that of the imports, so the entry imports them once more at its top. */
export const ordered = {
  name: 'ordered',
  transform(code, id) {
    if (!id.endsWith('/src/index.ts')) return null;
    const files = new Set(['index.ts']);
    for (const file of files) for (const imported of importedAtOnce(file)) files.add(imported);
    const first = readFileSync(orderFile, 'utf8')
      .split('\n')
      .filter((file) => files.has(file));
    return { code: `${first.map((file) => `import './${file.replace(/\.ts$/, '.js')}';`).join('\n')}\n${code}`, map: null };
  },
};

const exportList = /export\{([^{}]*)\};(?=\s*(?:\/\/# sourceMappingURL|$))/;
const importLists = /^(?:import\{[^{}]*\}from"\.\/[\w-]+\.js";)+/;
const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** A source map's mappings whose first line has moved by so many columns, but for what stands at column 0: columns there are relative. */
function shifted(mappings, columns) {
  const [, head, number, rest] = /^(A,)?([g-z0-9+/]*[A-Za-f])(.*)$/.exec(mappings);
  const value = [...number].reduceRight((sum, digit) => (sum << 5) | (digits.indexOf(digit) & 31), 0);
  let next = (value >> 1) + columns;
  next *= 2;
  let encoded = '';
  do {
    encoded += digits[(next & 31) | (next > 31 ? 32 : 0)];
    next >>= 5;
  } while (next > 0);
  return `${head ?? ''}${encoded}${rest}`;
}

/** What an entry imports only to export it, passed on in one statement a file. */
function passedOn(imports, exports) {
  const from = new Map();
  for (const [, list, file] of imports.matchAll(/\{([^{}]*)\}from("[^"]*")/g))
    for (const [other, own = other] of list.split(',').map((pair) => pair.split(' as '))) from.set(own, { other, file });
  const lists = new Map();
  for (const [own, name = own] of exports.split(',').map((pair) => pair.split(' as '))) {
    const { other, file } = from.get(own);
    lists.set(file, [...(lists.get(file) ?? []), `${other} as ${name}`]);
  }
  return [...lists].map(([file, list]) => `export{${list.join(',')}}from${file};`).join('');
}

/**
 * Chunks import each other's names as the minifier left them. A bundler lists other names beside those, as short, which costs 0.4 kB.
 * Names that `import()` reads stay.
 */
export const ownNames = {
  name: 'own-names',
  generateBundle(_, bundle) {
    const chunks = Object.values(bundle).filter(({ type }) => type === 'chunk');
    const dynamic = new Set(chunks.flatMap(({ dynamicImports }) => dynamicImports));
    const renamed = new Map();
    for (const chunk of chunks) {
      const list = exportList.exec(chunk.code)?.[1];
      if (chunk.isEntry || dynamic.has(chunk.fileName) || list === undefined) continue;
      const names = new Map(list.split(',').map((pair) => pair.split(' as ').reverse()));
      renamed.set(chunk.fileName, names);
      const own = [...names].map(([other, name = other]) => name).sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
      chunk.code = chunk.code.replace(exportList, () => `export{${own.join(',')}};`);
    }
    for (const chunk of chunks) {
      const before = importLists.exec(chunk.code)?.[0] ?? '';
      const after = before.replace(/\{([^{}]*)\}from"\.\/([^"]*)"/g, (whole, list, file) => {
        const names = renamed.get(file);
        if (!names) return whole;
        const pairs = list.split(',').map((pair) => pair.split(' as '));
        return `{${pairs.map(([other, own = other]) => `${names.get(other) ?? other} as ${own}`).join(',')}}from"./${file}"`;
      });
      if (chunk.isEntry) {
        chunk.code = passedOn(after, exportList.exec(chunk.code)[1]);
        continue;
      }
      chunk.code = after + chunk.code.slice(before.length);
      const map = bundle[`${chunk.fileName}.map`];
      if (after.length !== before.length && map) {
        const content = JSON.parse(map.source);
        content.mappings = shifted(content.mappings, after.length - before.length);
        map.source = JSON.stringify(content);
      }
    }
  },
};

/**
 * What loads the chunk `later`, and what calls that. A bundler that meets such an import in a module that it uses ships what it leads to, whether
 * that function is used or not; so these are a file of their own, which a page that uses none of them leaves out, and nothing else imports them.
 */
const apart = /src\/(load-later|flows\/(continuous\/load-|recipes\/ffjord)|inspection\/check-|interop\/(import-|whole-flow))/;
const facade = /src\/index\.ts/;

/** @type {['$initial']} */
const atOnce = ['$initial'];

export const groups = [
  // In one chunk, whatever what loads later shares with it: two chunks list each other's names, 1 kB of them.
  {
    name: 'core',
    tags: atOnce,
    test: (/** @type {string} */ id) => !facade.test(id) && !apart.test(id),
    priority: 2,
  },
  { name: 'apart', test: apart, priority: 1 },
];
