// Writes src/kernels/generated/<name>.ts from shaders/<name>.wgsl: the minified text, and what reflection says of each entry point
// (bindings, access, parameters, override constants, workgroup size) in short words and as types. The host never repeats any of it.
//
//   node scripts/generate-kernels.mjs              writes
//   node scripts/generate-kernels.mjs --check      fails when a committed file differs
//   node scripts/generate-kernels.mjs --readable   writes text with the names and lines of the source, to read a compiler's complaint by
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
// The package's `main` is CommonJS in a package of type module, which Node refuses; its bundle for bundlers loads.
import { WgslReflect } from 'wgsl_reflect/wgsl_reflect.module.js';
import { declarations, withoutDeclarations } from './declarations.mjs';
import { minifyWgsl } from './minify-wgsl.mjs';
import { marked, repeated, repeats, textLiteral } from './repeat.mjs';
import { importedParts, refuseReservedWords } from './wgsl.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const shaders = join(root, 'shaders');
const target = join(root, 'src/kernels/generated');
const check = process.argv.includes('--check');
const readable = process.argv.includes('--readable');

const camel = (name) => name.replace(/[-_](\w)/g, (_, letter) => letter.toUpperCase());

/** Overrides with their defaults, which wgsl_reflect leaves out: `override NAME: type = value;`. */
function overrideDefaults(wgsl) {
  const found = new Map();
  for (const [, name, type, value] of wgsl.matchAll(/override\s+(\w+)\s*:\s*(\w+)\s*(?:=\s*([^;]+?)\s*)?;/g)) {
    const parsed =
      value === undefined ? undefined : value === 'true' ? true : value === 'false' ? false : Number(value.replace(/[uif]$/, ''));
    if (typeof parsed === 'number' && Number.isNaN(parsed)) throw new Error(`override ${name}: the default ${value} is not a literal`);
    found.set(name, parsed === undefined ? { type } : { type, default: parsed });
  }
  return found;
}

/** Reflection whose parse errors name the shader and quote the line, instead of the parser's own source. */
function reflectWgsl(name, wgsl) {
  try {
    return new WgslReflect(wgsl);
  } catch (error) {
    const line = Number(/Line: (\d+)/.exec(error.message)?.[1]);
    console.error(
      `shaders/${name}.wgsl: ${error.message}\n${wgsl
        .split('\n')
        .slice(line - 2, line + 1)
        .join('\n')}`,
    );
    process.exit(1);
  }
}

/**
 * Names that a function reaches through calls and module-scope declarations. wgsl_reflect's `overrides` of an entry point stops at its
 * own body, and WebKit rejects a value for an override that the entry point never reads, so neither none nor all of them will do.
 */
function reachable(wgsl, entryPoint) {
  const bodies = new Map();
  for (const match of wgsl.matchAll(/\bfn\s+(\w+)|^(?:@[^;{]*?)?(?:var(?:<[^>]*>)?|const|override)\s+(\w+)[^;]*;/gm)) {
    if (match[2] !== undefined) bodies.set(match[2], match[0]);
    else {
      let end = wgsl.indexOf('{', match.index) + 1;
      for (let depth = 1; depth > 0; end++) depth += wgsl[end] === '{' ? 1 : wgsl[end] === '}' ? -1 : 0;
      bodies.set(match[1], wgsl.slice(match.index, end));
    }
  }
  const found = new Set();
  const queue = [entryPoint];
  for (const next of queue) {
    if (found.has(next)) continue;
    found.add(next);
    for (const [word] of (bodies.get(next) ?? '').matchAll(/\b[A-Za-z_]\w*/g)) if (bodies.has(word)) queue.push(word);
  }
  // The size of a workgroup stands before `fn`.
  const attributes = new RegExp(`@workgroup_size\\(([^)]*)\\)[^{]*?\\bfn\\s+${entryPoint}\\b`).exec(wgsl)?.[1] ?? '';
  for (const [word] of attributes.matchAll(/\b[A-Za-z_]\w*/g)) found.add(word);
  return found;
}

/** What the host declares for a shader; null where its entry points read different parameters, and the text has to say so. */
function boundOf({ parts, entries }) {
  const bound = declarations(parts);
  return bound && entries.every(({ params }) => Object.keys(params.fields).length === bound.fields.length) ? bound : null;
}

function describe(name) {
  const enabled = [];
  const parts = importedParts(`${name}.wgsl`, shaders).map(({ path, text }) => ({
    path,
    text: marked(text).replace(/^enable (\w+);\n/gm, (_, feature) => {
      enabled.push(feature);
      return '';
    }),
  }));
  const wgsl = repeated(parts.map(({ text }) => text).join('\n'));
  const reflect = reflectWgsl(name, wgsl);
  const overrides = overrideDefaults(wgsl);
  const entries = reflect.entry.compute.map((entry) => {
    const resources = [...new Map(entry.resources.map((r) => [r.name, r])).values()].sort((a, b) => a.binding - b.binding);
    const wrongGroup = resources.find((r) => r.group !== 0);
    if (wrongGroup) throw new Error(`${name}: ${wrongGroup.name} is in group ${wrongGroup.group}; kernels use group 0 alone`);
    const buffers = {};
    let params = null;
    let call = false;
    for (const r of resources) {
      const uniform = r.type.members !== undefined && r.access !== 'read_write' && !r.type.name.startsWith('array') && r.resourceType === 0;
      if (uniform && r.name === 'call') call = true;
      else if (uniform) {
        params = {
          binding: r.binding,
          byteSize: Math.ceil(r.type.size / 16) * 16,
          fields: Object.fromEntries(r.type.members.map((m) => [m.name, { type: m.type.name, offset: m.offset }])),
        };
      } else {
        const element = r.type.format?.format?.name ?? r.type.format?.name;
        buffers[r.name] = { binding: r.binding, access: r.access === 'read_write' ? 'read_write' : 'read', element };
      }
    }
    const storage = Object.keys(buffers).length;
    if (storage > 8) throw new Error(`${name}.${entry.name} binds ${storage} storage buffers; the default limit is 8`);
    const used = reachable(wgsl, entry.name);
    const constants = Object.fromEntries([...overrides].filter(([key]) => used.has(key)));
    return {
      name,
      entryPoint: entry.name,
      workgroupSize: [0, 1, 2].map((axis) => Number(entry.workgroupSize?.[axis] ?? 1)),
      usesCall: call,
      buffers,
      constants,
      params: params ?? { binding: -1, byteSize: 0, fields: {} },
    };
  });
  return { name, parts, entries, enabled, overrides: [...overrides.keys()] };
}

/** `name`, `name=short`, and `:` with the type unless it is `usual`. */
const word = (name, short, type, usual) =>
  `${name}${short === undefined ? '' : `=${short}`}${type === usual ? '' : `:${type.replace(/32$/, '')}`}`;

/** What a shader binds, in the words of `shaderText` in src/runtime/kernel.ts, and how often. */
function signature(name, { fields, buffers }, short) {
  const params = fields.map(({ name: field, type }) => {
    if (!/^[fui]32$/.test(type)) throw new Error(`${name}: the parameter ${field} is not a scalar`);
    return word(field, short.fields?.get(field), type, 'u32');
  });
  let free = 2;
  const bound = buffers.map(({ name: buffer, binding, written, type }) => {
    const gap = binding === free ? '' : `@${binding}`;
    free = binding + 1;
    return `${word(buffer, short.buffers?.get(buffer), type, 'vec4f')}${written ? '!' : ''}${gap}`;
  });
  return [params.join(' '), bound.join(' ')];
}

const union = (keys) => (keys.length === 0 ? 'never' : keys.map((key) => `'${key}'`).join(' | '));
const record = (pairs) => (pairs.length === 0 ? 'Record<never, never>' : `{ ${pairs.map(([key, type]) => `${key}: ${type}`).join('; ')} }`);

/** The declaration of one entry point. */
function declaration(entry, enabled, shader, bound) {
  const constants = Object.entries(entry.constants).map(([key, { type, default: value }]) => {
    if (type === 'bool' && value === undefined) throw new Error(`${entry.name}: the override ${key} needs a default`);
    return [key, value === undefined ? 'Required' : type === 'bool' ? 'Flag' : 'Optional'];
  });
  // Buffers by their place in the shader's list, unless they are all.
  const used = bound.buffers.flatMap(({ name }, index) => (name in entry.buffers ? [index] : []));
  const rest = [
    entry.entryPoint === entry.name.replaceAll('-', '_') ? undefined : entry.entryPoint,
    used.length < bound.buffers.length ? used : undefined,
  ];
  while (rest.length > 0 && rest.at(-1) === undefined) rest.pop();
  const given = [entry.name, [entry.usesCall ? 'call' : '', ...Object.keys(entry.constants)].join(' ')].map((text) => `'${text}'`);
  const [opening, closing] = [enabled.map((feature) => `/*#__PURE__*/ enabling('${feature}', `).join(''), ')'.repeat(enabled.length)];
  return `export const ${camel(entry.entryPoint)} = ${opening}/*#__PURE__*/ kernelSource<
  ${record(Object.entries(entry.buffers).map(([key, { element }]) => [key, `'${element}'`]))},
  ${union(Object.keys(entry.params.fields))},
  ${record(constants)}
>(${[...given, shader, ...rest.map((value) => (value === undefined ? 'undefined' : Array.isArray(value) ? `[${value.join(', ')}]` : `'${value}'`))].join(', ')})${closing};
`;
}

/** The head of an entry point in the words of `shaderText`. */
const shortHead = (text) =>
  text.replace(
    /@compute@workgroup_size\(([\d,]+)\)fn (\w+)\(@builtin\((?:global_invocation_id\)(\w+):vec3u|workgroup_id\)(\w+):vec3u,@builtin\(local_invocation_id\)(\w+):vec3u)\)\{/g,
    (_, size, name, id, group, lane) => `@${size} ${name} ${id ?? `${group} ${lane}`}{`,
  );

/** The module of a shader. Imported text is a module of its own, so that a bundle holds it once. */
function moduleOf({ name, parts, entries, enabled, bound }, texts, namesOf) {
  const imports = parts.slice(0, -1).map(({ path }) => path.slice('lib/'.length, -'.wgsl'.length));
  const own = texts.get(`${name}.wgsl`);
  const joined = `\`${imports.map((library) => `\${${camel(`lib-${library}`)}}${readable ? '\\n' : ''}`).join('')}\${own}\``;
  const shaderOf = (what, given) => {
    const [params, buffers] = signature(name, what, bound ? namesOf : {});
    return `/*#__PURE__*/ shaderText('${params}', '${buffers}', ${given})`;
  };
  const whole = entries.map(({ params, buffers }) => ({
    fields: Object.entries(params.fields).map(([field, { type }]) => ({ name: field, type })),
    buffers: Object.entries(buffers).map(([buffer, { binding, access, element }]) => ({
      name: buffer,
      binding,
      written: access !== 'read',
      type: element,
    })),
  }));
  const body = [
    `const own = ${textLiteral(readable ? own : shortHead(own))};`,
    ...(bound ? [`const shader = ${shaderOf(bound, joined)};`] : [`const wgsl = ${joined};`]),
    '',
    ...entries.map((entry, index) =>
      bound
        ? declaration(entry, enabled, 'shader', bound)
        : declaration(entry, enabled, shaderOf(whole[index], 'wgsl, true'), whole[index]),
    ),
  ].join('\n');
  const helpers = ['enabling', 'times'].filter((name) => body.includes(`${name}(`));
  const kinds = ['Flag', 'Optional', 'Required'].filter((kind) => body.includes(`: ${kind}`)).map((kind) => `type ${kind}, `);
  return [
    `// Generated by scripts/generate-kernels.mjs from shaders/${name}.wgsl. Do not edit.`,
    `import { ${kinds.join('')}kernelSource, shaderText } from '../../runtime/kernel.js';`,
    ...(helpers.length > 0 ? [`import { ${helpers.join(', ')} } from '../shader-text.js';`] : []),
    ...imports.map((library) => `import { wgsl as ${camel(`lib-${library}`)} } from './lib/${library}.js';`),
    '',
    body,
  ].join('\n');
}

const names = readdirSync(shaders)
  .filter((f) => f.endsWith('.wgsl'))
  .map((f) => f.slice(0, -5))
  .sort();
const described = names.map(describe);
for (const { parts } of described) for (const { path, text } of parts) refuseReservedWords(path, text);
const stripped = new Map(described.flatMap(({ parts }) => parts).map(({ path, text }) => [path, text]));
const kept = new Set(described.flatMap(({ overrides, entries }) => [...overrides, ...entries.map(({ entryPoint }) => entryPoint)]));
// A file's declarations go where those of every shader with it do.
for (const shader of described) shader.bound = readable ? null : boundOf(shader);
const bare = (path) => described.every(({ parts, bound }) => bound !== null || parts.every((part) => part.path !== path));
for (const shader of described)
  if (shader.parts.some(({ path, text }) => !bare(path) && withoutDeclarations(text) !== text)) shader.bound = null;
for (const [path, text] of stripped) if (bare(path)) stripped.set(path, withoutDeclarations(text));
const nothing = { buffers: [], fields: [] };
const shipped = described.map(({ parts, bound }) => ({ paths: parts.map(({ path }) => path), ...(bound ?? nothing) }));
const { texts, names: shortNames } = readable ? { texts: stripped, names: null } : minifyWgsl(stripped, shipped, kept);
const files = new Map(
  described.map((shader, index) => {
    const namesOf = shortNames && { buffers: shortNames(shipped[index], 'buffers'), fields: shortNames(shipped[index], 'fields') };
    return [`${shader.name}.ts`, moduleOf(shader, texts, namesOf)];
  }),
);
for (const [path, text] of texts) {
  if (!path.startsWith('lib/')) continue;
  const header = `// Generated by scripts/generate-kernels.mjs from shaders/${path}. Do not edit.`;
  const imported = repeats(text) ? `import { times } from '../../shader-text.js';\n\n` : '';
  files.set(path.replace(/wgsl$/, 'ts'), `${header}\n${imported}export const wgsl: string = ${textLiteral(text)};\n`);
}
const failures = [];
mkdirSync(join(target, 'lib'), { recursive: true });
for (const [file, text] of files) {
  const path = join(target, file);
  if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
  if (check) failures.push(`src/kernels/generated/${file} differs from shaders/`);
  else writeFileSync(path, text);
}
for (const file of readdirSync(target, { recursive: true }).map((path) => path.replaceAll('\\', '/'))) {
  if (files.has(file) || file === 'lib') continue;
  if (check) failures.push(`src/kernels/generated/${file} has no shader`);
  else rmSync(join(target, file));
}
if (failures.length > 0) {
  console.error(`${failures.join('\n')}\nRun \`npm run generate\` and commit the result.`);
  process.exit(1);
}
console.log(`${names.length} shaders ${check ? 'match their generated files' : 'generated'}`);
