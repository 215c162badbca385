// Makes shader text small: short names, and no white space that WGSL does not need. The page joins a shader with what it imports, so a name has
// the same short one in every file; minifiers at hand work on one finished module, where an imported file would ship once a shader.
// What gzip gains from is likeness: names that never meet share a letter, and the most frequent choose first.

const token = /\d[\w.]*(?:[eE][+-]\d+)?[fuh]?|[A-Za-z_]\w*|[^\sA-Za-z_]/g;

/** Also a component of a vector, which no reader of tokens can tell from a member of that name. */
const isSwizzle = (name) => /^([xyzw]{1,4}|[rgba]{1,4})$/.test(name);

/** Names that tokens declare: after `fn`, `let`, `const`, `var`, `struct`, `alias`, and parameters and members before a colon. */
function declared(tokens) {
  return tokens.filter((word, at) => {
    if (!/^[A-Za-z_]/.test(word)) return false;
    if (tokens[at + 1] === ':' && tokens[at - 1] !== 'case' && word !== 'default') return true;
    let before = at - 1;
    if (tokens[before] === '>') before = tokens.lastIndexOf('<', before) - 1;
    return /^(fn|let|const|var|struct|alias)$/.test(tokens[before]);
  });
}

/** a … Z, then two letters, the second a small one: fewer different letters make fewer bits. */
const small = [...'abcdefghijklmnopqrstuvwxyz'];
const letters = [...small, ...small.map((letter) => letter.toUpperCase())];
const shortNames = [...letters, ...letters.flatMap((first) => small.map((second) => first + second))];

/** Words of two letters that WGSL keeps for itself (https://www.w3.org/TR/WGSL/#reserved-words), and some that it might. */
const reserved = ['as', 'do', 'fn', 'if', 'in', 'is', 'of', 'or'];

/** 0.50 becomes .5, 1.0 becomes 1. */
const shortNumber = (text) => (/^\d+\.\d+[fh]?$/.test(text) ? text.replace(/(\.\d*?)0+(?=[fh]?$)/, '$1').replace(/^0+(?=\.\d)/, '') : text);

/** vec4<f32>(0.0) is vec4f(). */
const shortTypes = (text) =>
  text
    .replace(/\b(vec[234]|mat[234]x[234])<([fui])32>/g, '$1$2')
    .replace(/\bvec([234])(?:f\(0\.\)|u\(0u\)|i\(0\))/g, (zero, size) => `vec${size}${zero[4]}()`);

/** Names of what the host declares, as `shaderText` in src/runtime/kernel.ts gives them by place. */
const parameters = 'Z';
const bufferAt = (binding) => String.fromCharCode(63 + binding);
const fieldAt = (index) => String.fromCharCode(97 + index);

/** Where functions or structs lie: [first token, token after the last]. */
function bodies(tokens, kind) {
  return tokens.flatMap((word, at) => {
    if (word !== kind) return [];
    let end = tokens.indexOf('{', at) + 1;
    for (let depth = 1; depth > 0; end++) depth += tokens[end] === '{' ? 1 : tokens[end] === '}' ? -1 : 0;
    return [[at, end]];
  });
}

/**
 * The names that a function declares, of its tokens. Of those that also mean something outside, only a parameter, and a variable of the
 * function's outermost block that is declared before the name occurs: elsewhere both meanings may occur.
 */
function ownNames(tokens, meansMore) {
  const header = tokens.indexOf('{');
  const names = new Set(declared(tokens.slice(2)));
  for (const name of names) {
    if (!meansMore(name) || declared(tokens.slice(2, header)).includes(name)) continue;
    const first = tokens.findIndex((word, at) => word === name && tokens[at - 1] !== '.');
    const depth = tokens.slice(0, first).reduce((sum, word) => sum + ('{(['.includes(word) ? 1 : '})]'.includes(word) ? -1 : 0), 0);
    const end = tokens.indexOf(';', first);
    const again = tokens.slice(first + 1, end).some((word, at) => word === name && tokens[first + at] !== '.');
    if (depth !== 1 || again || !/^(let|const|var)$/.test(tokens[first - 1])) names.delete(name);
  }
  return names;
}

/**
 * Names by place: path to name to place. Left out are those that a file shares among shaders where they have several places; the shaders
 * then say the name.
 *
 * @param modules [{ paths, places: name to place }]
 * @param used path to the names in a file
 */
function placed(modules, used) {
  const open = modules.map(({ paths, places }) => ({ paths, places: new Map(places) }));
  const result = new Map([...used.keys()].map((path) => [path, new Map()]));
  for (let changed = true; changed; ) {
    changed = false;
    for (const [path, names] of used)
      for (const name of names) {
        const all = open.filter((_, index) => modules[index].paths.includes(path) && modules[index].places.has(name));
        if (all.length === 0) continue;
        const [place, ...others] = new Set(all.map(({ places }) => places.get(name)));
        if (others.length > 0) {
          for (const { places } of all) places.delete(name);
          changed = true;
        }
        if (others.length > 0 || place === undefined) result.get(path).delete(name);
        else result.get(path).set(name, place);
      }
  }
  return result;
}

/**
 * One short name for each: the shortest that none of those has which it meets.
 *
 * @param occurrences the names, as often as they occur
 * @param groups [{ names, taken }] names that meet, and what else is there
 */
function shorten(occurrences, groups) {
  const uses = new Map();
  for (const name of occurrences) uses.set(name, (uses.get(name) ?? 0) + 1);
  const short = new Map();
  for (const name of [...uses.keys()].sort((a, b) => uses.get(b) - uses.get(a))) {
    const met = groups.filter(({ names }) => names.has(name));
    const taken = new Set([...reserved, ...met.flatMap(({ names, taken }) => [...taken, ...[...names].map((other) => short.get(other))])]);
    short.set(
      name,
      shortNames.find((value) => !taken.has(value)),
    );
  }
  return short;
}

/**
 * @param files text by path, imports left out
 * @param shaders [{ paths, buffers, fields }] each with all that it imports, and what the host declares for it, as `declarations` says
 * @param kept names that the host uses, and stay
 * @returns `texts` minified, by path, and `names`: short ones of a shader's `buffers` and `fields` that do not follow from their place
 */
export function minifyWgsl(files, shaders, kept) {
  const paths = [...files.keys()];
  const words = [...files.values()].map((text) => text.match(token) ?? []);
  const occurrences = words.flatMap((all, file) => all.map((word, at) => ({ word, file, at, before: all[at - 1], after: all[at + 1] })));
  const callable = new Set(occurrences.filter(({ before }) => /^(fn|struct|alias)$/.test(before)).map(({ word }) => word));
  // Called and not declared as something to call: WGSL's own, `all(…)` here, though a local of another function has that name.
  const calls = occurrences.filter(({ word, before, after }) => after === '(' && before !== '@' && !callable.has(word));
  const builtin = new Set(calls.map(({ word }) => word));
  const functions = words.map((all) => bodies(all, 'fn'));
  const structs = words.map((all) => bodies(all, 'struct'));
  const inside = (ranges, at) => ranges.findIndex(([from, to]) => at > from + 1 && at < to);

  // A function's own names are its parameters and variables. What is declared outside has its one name in every function.
  const outer = words.map((all, file) =>
    declared(all.map((word, at) => (inside([...functions[file], ...structs[file]], at) < 0 ? word : ''))),
  );
  const hosted = shaders.flatMap(({ buffers }) => buffers.map(({ name }) => name));
  const outside = new Set([...outer.flat(), ...hosted, 'params'].filter((name) => !kept.has(name) && !builtin.has(name)));
  const own = words.map((all, file) => functions[file].map(([from, to]) => ownNames(all.slice(from, to), (name) => outside.has(name))));
  for (const names of own.flat()) for (const name of names) if (kept.has(name) || builtin.has(name)) names.delete(name);
  const members = new Set(words.flatMap((all, file) => structs[file].flatMap(([from, to]) => declared(all.slice(from + 2, to)))));
  for (const { fields } of shaders) for (const { name } of fields) members.add(name);

  const isHosted = (file, kind, name) =>
    shaders.some((shader) => shader.paths.includes(paths[file]) && shader[kind].some((one) => one.name === name));
  const kindOf = ({ word, file, at, before, after }) => {
    if (before === '@' || !/^[A-Za-z_]/.test(word)) return 'other';
    if (before === '.' && words[file][at - 2] === 'params' && isHosted(file, 'fields', word)) return 'field';
    if (before === '.' || (after === ':' && inside(structs[file], at) >= 0))
      return members.has(word) && !isSwizzle(word) ? 'member' : 'other';
    const scope = inside(functions[file], at);
    if (scope >= 0 && own[file][scope].has(word)) return 'own';
    if (isHosted(file, 'buffers', word)) return 'buffer';
    if (word === 'params' && shaders.some(({ paths: all, fields }) => all.includes(paths[file]) && fields.length > 0)) return 'params';
    return outside.has(word) ? 'outer' : 'other';
  };
  for (const one of occurrences) one.kind = kindOf(one);
  const namesOf = (kind) => occurrences.filter((one) => one.kind === kind).map(({ word }) => word);

  const usedAs = (kind) =>
    new Map(
      paths.map((path, file) => [
        path,
        new Set(occurrences.filter((one) => one.kind === kind && one.file === file).map(({ word }) => word)),
      ]),
    );
  const buffers = placed(
    shaders.map(({ paths, buffers }) => ({ paths, places: new Map(buffers.map(({ name, binding }) => [name, bufferAt(binding)])) })),
    usedAs('buffer'),
  );
  const fields = placed(
    shaders.map(({ paths, fields }) => ({ paths, places: new Map(fields.map(({ name }, index) => [name, fieldAt(index)])) })),
    usedAs('field'),
  );
  const fixed = ({ kind, word, file }) =>
    kind === 'params'
      ? parameters
      : kind === 'buffer'
        ? buffers.get(paths[file]).get(word)
        : kind === 'field'
          ? fields.get(paths[file]).get(word)
          : undefined;
  // What has no name by its place is shortened as what its file declares.
  for (const one of occurrences) {
    one.fixed = fixed(one);
    if (one.fixed === undefined && one.kind === 'buffer') one.kind = 'outer';
    if (one.fixed === undefined && one.kind === 'field') one.kind = 'member';
  }

  const others = occurrences.filter(({ kind, before }) => kind === 'other' && before !== '.' && before !== '@').map(({ word }) => word);
  const common = new Set([...kept, ...others]);
  const group = (those, kind) => ({
    names: new Set(those.filter((one) => one.kind === kind).map(({ word }) => word)),
    taken: new Set([...common, ...those.flatMap((one) => (one.kind === kind ? [] : [one.fixed ?? short[one.kind]?.get(one.word)]))]),
  });
  const short = {};
  short.outer = shorten(
    namesOf('outer'),
    shaders.map(({ paths: all }) =>
      group(
        occurrences.filter(({ file, kind }) => all.includes(paths[file]) && kind !== 'own' && kind !== 'member' && kind !== 'field'),
        'outer',
      ),
    ),
  );
  short.own = shorten(
    namesOf('own'),
    words.flatMap((_, file) =>
      functions[file].map(([from, to]) =>
        group(
          occurrences.filter((one) => one.file === file && one.at >= from && one.at < to && one.kind !== 'member' && one.kind !== 'field'),
          'own',
        ),
      ),
    ),
  );
  const ofStructs = words.flatMap((all, file) =>
    structs[file].map(([from, to]) => {
      const names = declared(all.slice(from + 2, to));
      return { names: new Set(names), taken: names.filter(isSwizzle) };
    }),
  );
  const ofParams = shaders.map(({ fields }) => ({
    names: new Set(fields.map(({ name }) => name)),
    taken: fields.map((_, index) => fieldAt(index)),
  }));
  short.member = shorten(namesOf('member'), [...ofStructs, ...ofParams]);

  const texts = new Map(paths.map((path) => [path, '']));
  for (const { word, file, kind, fixed } of occurrences) {
    const text = texts.get(paths[file]);
    const next = fixed ?? short[kind]?.get(word) ?? shortNumber(word);
    texts.set(paths[file], text + (/\w$/.test(text) && /^\w/.test(next) ? ' ' : '') + next);
  }
  for (const [path, text] of texts) texts.set(path, shortTypes(text.replace(/,(?=[})])/g, '')));
  const names = (shader, kind) => {
    const [byPlace, all] = kind === 'buffers' ? [buffers, short.outer] : [fields, short.member];
    const own = shader[kind].filter(({ name }) => all.has(name) && !shader.paths.some((path) => byPlace.get(path).has(name)));
    return new Map(own.map(({ name }) => [name, all.get(name)]));
  };
  return { texts, names };
}
