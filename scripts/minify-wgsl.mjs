// Makes shader text small: short names, and no white space that WGSL does not need. One map of names serves all files, since the page
// joins a shader with what it imports; minifiers at hand work on one finished module, where an imported file would ship once a shader.
// A map that gives different names to different names keeps scopes and shadowing as they are, so no scope needs to be understood.

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
function* shortNames() {
  const small = 'abcdefghijklmnopqrstuvwxyz';
  const letters = small + small.toUpperCase();
  yield* letters;
  for (const first of letters) for (const second of small) yield first + second;
}

/** Words of two letters that WGSL keeps for itself (https://www.w3.org/TR/WGSL/#reserved-words), and some that it might. */
const reserved = new Set(['as', 'do', 'fn', 'if', 'in', 'is', 'of', 'or']);

/** 0.50 becomes .5, 1.0 becomes 1. */
const shortNumber = (text) => (/^\d+\.\d+[fh]?$/.test(text) ? text.replace(/(\.\d*?)0+(?=[fh]?$)/, '$1').replace(/^0+(?=\.\d)/, '') : text);

/**
 * @param files text by path, imports left out
 * @param kept names that the host uses, and stay
 * @returns the minified texts by path
 */
export function minifyWgsl(files, kept) {
  const tokens = new Map([...files].map(([path, text]) => [path, text.match(token) ?? []]));
  const words = [...tokens.values()];
  const callable = new Set(words.flatMap((all) => all.filter((_, at) => /^(fn|struct|alias)$/.test(all[at - 1]))));
  // Called and not declared as something to call: WGSL's own, `all(…)` here, though a local of another function has that name.
  const builtin = new Set(words.flatMap((all) => all.filter((word, at) => all[at + 1] === '(' && !callable.has(word))));
  const uses = new Map();
  for (const name of words.flatMap(declared)) if (!isSwizzle(name) && !kept.has(name) && !builtin.has(name)) uses.set(name, 0);
  const others = new Set([...kept, ...reserved]);
  for (const all of words)
    all.forEach((word, at) => {
      if (uses.has(word) && all[at - 1] !== '@') uses.set(word, uses.get(word) + 1);
      else others.add(word);
    });
  // The most frequent get one letter, the others two in order of appearance, which gives neighbours a letter in common: 0.4 kB gzipped.
  const frequent = [...uses.keys()].sort((a, b) => uses.get(b) - uses.get(a)).slice(0, 52);
  const names = new Set([...frequent, ...uses.keys()]);
  const free = shortNames();
  const short = new Map();
  for (const name of names) {
    let { value } = free.next();
    while (others.has(value) || isSwizzle(value)) ({ value } = free.next());
    short.set(name, value);
  }
  const minified = new Map();
  for (const [path, all] of tokens) {
    let text = '';
    all.forEach((word, at) => {
      const next = (all[at - 1] === '@' ? word : short.get(word)) ?? shortNumber(word);
      text += (/\w$/.test(text) && /^\w/.test(next) ? ' ' : '') + next;
    });
    minified.set(path, text.replace(/,(?=[})])/g, '').replace(/\bvec([234])<([fu])32>/g, 'vec$1$2'));
  }
  return minified;
}
