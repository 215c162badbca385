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

/** Words that WGSL keeps (https://www.w3.org/TR/WGSL/#reserved-words). Compilers refuse a name among them, each in versions of its own. */
const reservedWords = new Set(
  (
    'NULL Self abstract active alignas alignof as asm asm_fragment async attribute auto await become binding_array cast catch class co_await co_return ' +
    'co_yield coherent column_major common compile compile_fragment concept const_cast consteval constexpr constinit crate debugger decltype delete demote ' +
    'demote_to_helper do dynamic_cast enum explicit export extends extern external fallthrough filter final finally friend from fxgroup get goto ' +
    'groupshared highp impl implements import inline instanceof interface layout lowp macro macro_rules match mediump meta mod module move mut mutable ' +
    'namespace new nil noexcept noinline nointerpolation noperspective null nullptr of operator package packoffset partial pass patch pixelfragment precise ' +
    'precision premerge priv protected pub public readonly ref regardless register reinterpret_cast require resource restrict self set shared sizeof smooth ' +
    'snorm static static_assert static_cast std subroutine super target template this thread_local throw trait try type typedef typeid typename typeof ' +
    'union unless unorm unsafe unsized use using varying virtual volatile wgsl where with writeonly yield'
  ).split(' '),
);

/** @throws Error for a name in a text without comments that is a reserved word of WGSL. */
export function refuseReservedWords(path, wgsl) {
  for (const [word] of wgsl.matchAll(/[A-Za-z_]\w*/g))
    if (reservedWords.has(word)) throw new Error(`${path}: ${word} is a reserved word of WGSL; choose another name`);
}
