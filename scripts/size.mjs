// Prints the gzipped size of dist/index.js and of every chunk it imports, those apart that load when first asked for (reverse mode, variants of
// kernels, and what src/later.ts lists), and the sum of the flows alone, without reverse mode and variants. Fails above a budget or when anything outside the package is imported.
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { parseAst } from 'vite';

/** What a page loads that imports everything, what it may load later, and the flows alone. What a page bundles of it is in bundles.mjs. */
const budgets = { 'at once': 83_200, later: 77_200, 'for flows alone': 90_800 };
const dist = join(dirname(fileURLToPath(import.meta.url)), '../dist');

/** Module specifiers in a syntax tree: imports and re-exports, or dynamic imports. */
function specifiers(node, dynamic, found = []) {
  if (Array.isArray(node)) for (const child of node) specifiers(child, dynamic, found);
  else if (node && typeof node === 'object') {
    const wanted = dynamic ? /^ImportExpression$/ : /^(ImportDeclaration|ExportNamedDeclaration|ExportAllDeclaration)$/;
    // Minified, the specifier of a dynamic import is a template.
    const source = node.source?.value ?? node.source?.quasis?.[0].value.cooked;
    if (wanted.test(node.type) && typeof source === 'string') found.push(source);
    for (const child of Object.values(node)) specifiers(child, dynamic, found);
  }
  return found;
}

/** Sizes by file; a file reached in both ways is counted at once, since those are followed first. */
const sizes = new Map();
const outside = [];
const later = [];
function follow(first, when) {
  const open = [first];
  for (let file = open.pop(); file; file = open.pop()) {
    if (sizes.has(file)) continue;
    const bytes = readFileSync(file);
    sizes.set(file, { when, size: gzipSync(bytes, { level: 9 }).length });
    const { body } = parseAst(bytes.toString('utf8'));
    for (const [list, names] of [
      [open, specifiers(body, false)],
      [later, specifiers(body, true)],
    ])
      for (const name of names) {
        if (name.startsWith('.')) list.push(join(dirname(file), name));
        else outside.push(`${relative(dist, file)} imports ${name}`);
      }
  }
}
follow(join(dist, 'index.js'), 'at once');
for (const file of later) follow(file, 'later');

const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
function total(what, files) {
  const sum = files.reduce((bytes, [, { size }]) => bytes + size, 0);
  console.log(`${what}  ${kilobytes(sum)} of ${kilobytes(budgets[what])}`);
  if (sum <= budgets[what]) return;
  console.error(
    `What loads ${what} is ${sum} bytes gzipped; the budget is ${budgets[what]}. scripts/order.mjs may find what a change has scattered.`,
  );
  process.exitCode = 1;
}
for (const when of ['at once', 'later']) {
  const files = [...sizes].filter(([, entry]) => entry.when === when);
  for (const [file, { size }] of files) console.log(`dist/${relative(dist, file)}  ${kilobytes(size)} gzipped`);
  total(when, files);
}
total(
  'for flows alone',
  [...sizes].filter(([file]) => !/\/(reverse|tune|report|rules|masked-linear-quad|linear-input|half|halves|weights-half)\.js$/.test(file)),
);
if (outside.length > 0) {
  console.error(`The library imports something outside the package: ${outside.join(', ')}`);
  process.exitCode = 1;
}
