// Bundles a page that imports part of the built library, as a user's bundler would, and prints what comes with it: gzipped size, and the
// shaders inside. Fails where `maf` brings a shader that a masked autoregressive flow never runs.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** The text of all that loads at once; reverse mode is a chunk that loads when asked for. */
async function bundle(names) {
  const entry = 'virtual:entry';
  const code = `import { ${names.join(', ')} } from ${JSON.stringify(join(root, 'dist/index.js'))}; globalThis.kept = [${names.join(', ')}];`;
  const result = await build({
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    plugins: [
      { name: 'entry', resolveId: (id) => (id === entry ? `\0${entry}` : null), load: (id) => (id === `\0${entry}` ? code : null) },
    ],
    build: { write: false, target: 'es2022', rolldownOptions: { input: entry } },
  });
  const chunks = new Map([result].flat().flatMap(({ output }) => output.map((chunk) => [chunk.fileName, chunk])));
  const loaded = new Set([...chunks.values()].filter(({ isEntry }) => isEntry).map(({ fileName }) => fileName));
  for (const fileName of loaded) for (const next of chunks.get(fileName).imports) loaded.add(next);
  return [...loaded].map((fileName) => chunks.get(fileName).code).join('\n');
}

/** Entry points of the shaders in a bundle: `@16,4 name id{` in a shipped text, or in full. */
const shadersIn = (code) =>
  [...new Set([...code.matchAll(/@[\d,]+ (\w+) [\w ]+\{|@compute[^{]*?\bfn (\w+)/g)].flatMap(([, short, whole]) => short ?? whole))]
    // The template that heads are written by.
    .filter((name) => !name.startsWith('$'))
    .sort();

/** What masked autoregressive flows run, in any direction and in reverse mode, with any option of the recipe: bases, mixtures, linear layers, supports. */
const ofMaf = new Set(
  `activation add_table affine autoregressive_solve_affine autoregressive_solve_mixture diagonal_affine fill implicit householder join log_density logit masked_linear
   masked_linear_quad mixture    multiply_add pack partial_sums permute row_sum sample triangular_solve unpack`.split(/\s+/),
);

// Reverse mode loads later, but a bundler puts what it shares with the library at once: the noise of integer data.
for (const shader of ['dequantize', 'quantize']) ofMaf.add(shader);

const table = {
  maf: ['Gpu', 'maf'],
  realNVP: ['Gpu', 'realNVP'],
  'loadFlow (every flow)': ['Gpu', 'loadFlow'],
};
for (const [name, imports] of Object.entries(table)) {
  const code = await bundle(imports);
  const shaders = shadersIn(code);
  console.log(
    `import { ${imports.join(', ')} }`.padEnd(32),
    `${(gzipSync(code, { level: 9 }).length / 1000).toFixed(1)} kB gzipped, ${shaders.length} shaders`,
  );
  if (name !== 'maf') continue;
  const surplus = shaders.filter((shader) => !ofMaf.has(shader));
  if (surplus.length > 0) {
    console.error(`maf alone brings shaders that it never runs: ${surplus.join(', ')}`);
    process.exitCode = 1;
  }
}
