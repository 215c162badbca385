// A chunk's text as pieces that may lie in another order: what it declares at its top, one piece a name, and what must have run before it. And names
// that a piece declares for itself, which may be others.
import { parseAst } from 'vite';

const isFunction = ({ type }) => /Function/.test(type);

/** Nodes inside a node. What follows a dot, and keys, are no names. */
const children = (node) =>
  Object.entries(node)
    .filter(([key]) => node.computed !== false || (key !== 'property' && key !== 'key'))
    .flatMap(([, child]) => child)
    .filter((child) => typeof child?.type === 'string');

/** Names that a pattern declares. */
function declared(pattern) {
  if (!pattern) return [];
  if (pattern.type === 'Identifier') return [pattern.name];
  if (pattern.type === 'AssignmentPattern') return declared(pattern.left);
  if (pattern.type === 'RestElement') return declared(pattern.argument);
  if (pattern.type === 'ArrayPattern') return pattern.elements.flatMap(declared);
  return pattern.properties.flatMap(({ value, argument }) => declared(value ?? argument));
}

/** Names that statements of one block declare in it. */
const declaredBy = (statements) =>
  statements.flatMap(({ type, declarations, id }) => {
    if (type === 'VariableDeclaration') return declarations.flatMap((declaration) => declared(declaration.id));
    return type === 'FunctionDeclaration' || type === 'ClassDeclaration' ? [id.name] : [];
  });

/** Names that a node declares for what is inside it. */
function scope(node) {
  if (isFunction(node)) return [...node.params, node.id].flatMap(declared);
  if (node.type === 'ClassExpression') return declared(node.id);
  if (node.type === 'CatchClause') return declared(node.param);
  if (/^For/.test(node.type)) return declaredBy([node.init ?? node.left ?? node]);
  if (node.type === 'SwitchStatement') return declaredBy(node.cases.flatMap(({ consequent }) => consequent));
  return node.type === 'BlockStatement' || node.type === 'StaticBlock' ? declaredBy(node.body) : [];
}

/** Names that a node reads and does not declare. A `var` counts in its block alone, so there may be a name too many, never one too few. */
function free(node, found = new Set(), bound = new Set()) {
  if (node.type === 'Identifier' && !bound.has(node.name)) found.add(node.name);
  const inside = new Set([...bound, ...scope(node)]);
  for (const child of children(node)) free(child, found, inside);
  return found;
}

/** Parts of an expression that run when it is evaluated: not bodies of functions and methods, nor fields of instances. */
function* running(node) {
  if (isFunction(node) || (node.type === 'PropertyDefinition' && !node.static)) return;
  yield node;
  for (const child of children(node)) yield* running(child);
}

/** Top-level names that evaluating an expression reads; where it calls anything, all that what it names may read. */
function readBy(expression, freeOf) {
  const parts = [...running(expression)];
  if (!parts.some(({ type }) => /^(Call|New|Import|TaggedTemplate)/.test(type)))
    return parts.filter(({ type }) => type === 'Identifier').map(({ name }) => name);
  const names = new Set(free(expression));
  for (const name of names) for (const other of freeOf(name)) names.add(other);
  return [...names];
}

/** Places of identifiers, but keys: { start, end, name, key }, where `key` is what stands for both a key and a value. */
function identifiers(node, key = '') {
  if (node.type === 'Identifier') return [{ start: node.start, end: node.end, name: node.name, key }];
  if (node.type === 'Property' && node.shorthand) {
    const { left = node.value, right } = node.value;
    return [...identifiers(left, `${left.name}:`), ...(right ? identifiers(right) : [])];
  }
  return children(node).flatMap((child) => identifiers(child));
}

/** Parts with other names: names of one letter that change places, `ab>ba`. A piece stays as it is where one of those means something outside it. */
export function renamed({ parts, names, fixed }, exchange) {
  const [from, to] = exchange.split('>');
  if (!to || [...from].some((letter) => fixed.has(letter))) return parts;
  const others = new Map([...from].map((letter, index) => [letter, to[index]]));
  const changed = names.filter(({ name }) => others.has(name));
  return parts.flatMap((part) => {
    if (typeof part === 'string') return [part];
    const split = [];
    let [at, end] = part;
    for (const { start, end: after, name, key } of changed) {
      if (start < at || start >= end) continue;
      split.push([at, start], [start, after, key + others.get(name)]);
      at = after;
    }
    return [...split, [at, end]];
  });
}

/** A function as text and ranges of its chunk: an arrow function where it knows no `this`, so that declarations are alike. */
function asVariable({ id, params, body, async, generator }, text) {
  if (generator || /\b(this|arguments)\b/.test(text)) return null;
  const [only] = params.length === 1 && params[0].type === 'Identifier' ? params : [];
  const list = only
    ? [async ? 'async ' : '', [only.start, only.end]]
    : [async ? 'async(' : '(', ...params.flatMap(({ start, end }) => [[start, end], ',']).slice(0, -1), ')'];
  return [[id.start, id.end], '=', ...list, '=>', [body.start, body.end]];
}

/** What imports list, [{ file, names: [[theirs, own]] }], and exports: [[own, theirs]]. */
const linksOf = (body) => ({
  imports: body
    .filter(({ type }) => type === 'ImportDeclaration')
    .map(({ source, specifiers }) => ({ file: source.value, names: specifiers.map(({ imported, local }) => [imported.name, local.name]) })),
  exports: body
    .filter(({ type }) => type === 'ExportNamedDeclaration')
    .flatMap(({ specifiers }) => specifiers.map(({ local, exported }) => [local.name, exported.name])),
});

/**
 * A chunk as { imports, exports, pieces }. A piece is { at, parts, isVariable, needs, names, fixed }: where it has its name, texts and ranges
 * [start, end] of the chunk, the other pieces, by index, that have to come first, identifiers, and names that mean something outside.
 */
export function takenApart(code) {
  const { body } = parseAst(code);
  const statements = body.filter(({ type }) => !/^(Import|Export)/.test(type));
  const nodes = statements.flatMap((node) => (node.type === 'VariableDeclaration' ? node.declarations : [node]));
  for (const { id, start } of nodes)
    if (!id) throw new Error(`A chunk does more at its top than to declare: ${code.slice(start, start + 80)}`);
  const owners = new Map(nodes.flatMap((node, index) => declared(node.id).map((name) => [name, index])));
  const found = new Map();
  const freeOf = (name) => (owners.has(name) ? memo(found, owners.get(name), (index) => free(nodes[index])) : []);
  const pieces = nodes.map((node, index) => {
    const { id, init, start, end } = node;
    const arrow = isFunction(node) && asVariable(node, code.slice(start, end));
    const read = init ? readBy(init, freeOf) : [];
    const needs = new Set(read.map((name) => owners.get(name)).filter((other) => other !== undefined && other !== index));
    const names = identifiers(node).sort((a, b) => a.start - b.start);
    const fixed = new Set([...free(node), ...declared(id)]);
    return { at: id.start, parts: arrow || [[start, end]], isVariable: arrow !== null, needs: [...needs], names, fixed };
  });
  return { ...linksOf(body), pieces };
}

function memo(known, key, make) {
  if (!known.has(key)) known.set(key, make(key));
  return known.get(key);
}

/** Pieces in an order as near to that of `ranks`, ascending, as their needs allow. */
export function orderedPieces(pieces, ranks) {
  const order = pieces.map((_, index) => index).sort((a, b) => ranks[a] - ranks[b] || a - b);
  const state = new Map();
  const sorted = [];
  const visit = (index) => {
    if (state.get(index) === 'done') return;
    if (state.get(index) === 'open') throw new Error('Pieces of a chunk need each other when it loads.');
    state.set(index, 'open');
    // Functions are there from the start.
    for (const other of pieces[index].needs) if (pieces[other].isVariable) visit(other);
    state.set(index, 'done');
    sorted.push(pieces[index]);
  };
  for (const index of order) visit(index);
  return sorted;
}
