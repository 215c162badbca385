// What the library's build puts where: which modules load at once, in which order they lie in a chunk, and which stay in files of their own.
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = join(dirname(fileURLToPath(import.meta.url)), '../src');

/** Folders from the bottom up. Like text beside like text compresses better: shaders apart from JavaScript save 4 kB, the rest 1 kB. */
const folders = [
  'kernels/generated/lib',
  'kernels/generated',
  'format',
  'runtime',
  'kernels',
  'flows/conditioner',
  'flows/transformers',
  'flows/bases',
  'flows/bijectors',
  'flows/build',
  'flows/recipes',
];

/** Modules that `entry` imports, and those that they do, without types and without what loads later. */
function importedAtOnce(entry) {
  const found = new Set([entry]);
  for (const file of found)
    for (const [, specifier] of readFileSync(file, 'utf8').matchAll(/^(?:import|export) (?!type\b)[^;]*?from '(\.[^']*)';/gm))
      found.add(join(dirname(file), specifier.replace(/\.js$/, '.ts')));
  return [...found].map((file) => relative(source, file));
}

/**
 * Puts the modules of a chunk in the order of `folders`: a bundler keeps them in that of the imports, so the entry imports them once more
 * at its top.
 */
export const ordered = {
  name: 'ordered',
  transform(code, id) {
    if (!id.endsWith('/src/index.ts')) return null;
    const files = importedAtOnce(id).sort();
    const imports = folders.flatMap((folder) => files.filter((file) => dirname(file) === folder));
    return { code: `${imports.map((file) => `import './${file.replace(/\.ts$/, '.js')}';`).join('\n')}\n${code}`, map: null };
  },
};

/**
 * Modules that load others later. A bundler that meets such an import in a module that it uses ships what it leads to, whether that
 * function is used or not; so they are a file of their own, which a page that uses none of them leaves out.
 */
const apart = /src\/(flows\/(recipes|bijectors|build)\/continuous|inspection\/check-|interop\/(import-|whole-flow))/;
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
  // One file for both checks: the second is made of the first.
  { name: 'checks', test: /src\/inspection\/(round-trip|numerical-jacobian)/, priority: 0 },
];
