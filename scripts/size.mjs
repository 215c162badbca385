// Prints the gzipped size of dist/index.js and of every chunk it imports, and fails above the budget or when anything outside the
// package is imported.
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { parseAst } from 'vite';

// Every flow family at once; what a page bundles of it is in bundles.mjs. The aim is 90 kB.
const budget = 101 * 1000;
const dist = join(dirname(fileURLToPath(import.meta.url)), '../dist');

/** Every module specifier in a syntax tree: static and dynamic imports, and re-exports. */
function specifiers(node, found = []) {
  if (Array.isArray(node)) for (const child of node) specifiers(child, found);
  else if (node && typeof node === 'object') {
    if (
      /^(ImportDeclaration|ImportExpression|ExportNamedDeclaration|ExportAllDeclaration)$/.test(node.type) &&
      typeof node.source?.value === 'string'
    )
      found.push(node.source.value);
    for (const child of Object.values(node)) specifiers(child, found);
  }
  return found;
}

const sizes = new Map();
const outside = [];
const open = [join(dist, 'index.js')];
for (let file = open.pop(); file; file = open.pop()) {
  if (sizes.has(file)) continue;
  const bytes = readFileSync(file);
  sizes.set(file, gzipSync(bytes, { level: 9 }).length);
  for (const specifier of specifiers(parseAst(bytes.toString('utf8')).body)) {
    if (specifier.startsWith('.')) open.push(join(dirname(file), specifier));
    else outside.push(`${relative(dist, file)} imports ${specifier}`);
  }
}

const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
let total = 0;
for (const [file, size] of sizes) {
  total += size;
  console.log(`dist/${relative(dist, file)}  ${kilobytes(size)} gzipped`);
}
console.log(`total  ${kilobytes(total)} of ${kilobytes(budget)}`);
if (outside.length > 0) {
  console.error(`The library imports something outside the package: ${outside.join(', ')}`);
  process.exitCode = 1;
}
if (total > budget) {
  console.error(`The library is ${total} bytes gzipped; the budget is ${budget}.`);
  process.exitCode = 1;
}
