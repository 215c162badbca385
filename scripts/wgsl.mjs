// The two text steps between shaders/ and the shipped strings. WESL's linker does more (namespaces, conditions, packages) than
// shaders that share a dozen functions need; see docs/architecture.md for the comparison.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The files that make up a shader, each once, imported ones before what imports them: [{ path, text }]. An import is a line
 * `#import "lib/name.wgsl"` above the first declaration; paths are relative to the shader folder.
 */
export function importedParts(path, root, seen = new Set()) {
  if (seen.has(path)) return [];
  seen.add(path);
  const parts = [];
  const own = readFileSync(join(root, path), 'utf8').split('\n');
  for (const line of own) {
    const imported = /^\s*#import\s+"([^"]+)"/.exec(line)?.[1];
    if (imported !== undefined) parts.push(...importedParts(imported, root, seen));
  }
  return [...parts, { path, text: stripWgsl(own.filter((line) => !line.trimStart().startsWith('#import')).join('\n')) }];
}

/** Drops comments, blank lines and indentation: they are for readers of shaders/, not for the bundle. */
export function stripWgsl(wgsl) {
  return wgsl
    .replace(/\/\/[^\n]*/g, '')
    .split('\n')
    .map((line) => line.trim().replace(/\s+/g, ' '))
    .filter((line) => line !== '')
    .join('\n');
}
