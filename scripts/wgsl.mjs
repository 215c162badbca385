// The two text steps between shaders/ and the shipped strings. WESL's linker does more (namespaces, conditions, packages) than
// shaders that share a dozen functions need; see docs/architecture.md for the comparison.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Replaces each line `#import "lib/name.wgsl"` by that file, once, depth first. Paths are relative to the shader folder. */
export function expandImports(file, root, seen = new Set()) {
  return readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => {
      const path = /^\s*#import\s+"([^"]+)"/.exec(line)?.[1];
      if (path === undefined) return line;
      if (seen.has(path)) return '';
      seen.add(path);
      return expandImports(join(root, path), root, seen);
    })
    .join('\n');
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
