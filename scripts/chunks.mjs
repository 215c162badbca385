// What the library's build puts where: which modules load at once, and which stay in files of their own.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = join(dirname(fileURLToPath(import.meta.url)), '../src');

/** Modules that one imports, relative to src/, without types and without what loads later. */
const importedAtOnce = (/** @type {string} */ file) =>
  [...readFileSync(join(source, file), 'utf8').matchAll(/^(?:import|export) (?!type\b)[^;]*?from '(\.[^']*)';/gm)].map(([, specifier]) =>
    join(dirname(file), specifier.replace(/\.js$/, '.ts')),
  );

/**
 * Shaders before all else: the entry imports them once more at its top. A minifier writes a declaration that is used once into what follows it, and
 * shaders compress better beside each other than each in its kernel, by 3 kB.
 */
export const shadersFirst = {
  name: 'shaders-first',
  transform(code, id) {
    if (!id.endsWith('/src/index.ts')) return null;
    const files = new Set(['index.ts']);
    for (const file of files) for (const imported of importedAtOnce(file)) files.add(imported);
    const shaders = [...files].filter((file) => file.startsWith('kernels/generated/'));
    return { code: `${shaders.map((file) => `import './${file.replace(/\.ts$/, '.js')}';`).join('\n')}\n${code}`, map: null };
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
