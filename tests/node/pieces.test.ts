// What the build may do to a chunk: other orders, other names, and a source map that says the same of both.

import { expect, test } from 'vitest';
import { orderedPieces, renamed, takenApart } from '../../scripts/pieces.mjs';
import { partsOf } from '../../scripts/rearrange.mjs';
import { assembled, segmentsOf, textOf } from '../../scripts/source-map.mjs';

type Piece = ReturnType<typeof takenApart>['pieces'][number];
type Part = string | [start: number, end: number, text?: string];
type Segment = { at: number; fields: number[] };

const textsOf = (code: string, pieces: readonly Piece[]) =>
  pieces.map(({ parts }) => parts.map((part: Part) => textOf(code, part)).join(''));

const inOrder = (code: string, ranks: number[]) => textsOf(code, orderedPieces(takenApart(code).pieces, ranks));

/** The only piece with letters exchanged. */
const withNames = (code: string, exchange: string) => {
  const [piece] = takenApart(code).pieces;
  return renamed(piece!, exchange)
    .map((part: Part) => textOf(code, part))
    .join('');
};

test('functions become arrow functions, unless they know this or arguments', () => {
  const code =
    'function a(e){return e}async function b(e,{t:n}=e){await n}function c(){return this}function d(){return arguments}function*g(){}';
  const { pieces } = takenApart(code);
  expect(textsOf(code, pieces)).toEqual([
    'a=e=>{return e}',
    'b=async(e,{t:n}=e)=>{await n}',
    'function c(){return this}',
    'function d(){return arguments}',
    'function*g(){}',
  ]);
  expect(partsOf(pieces).filter((part) => typeof part === 'string' && /^var |^,$|^;$/.test(part))).toContain('var ');
});

test('what is evaluated when a chunk loads comes after what it reads, through calls too', () => {
  expect(inOrder('var a=1,b=a+1;', [1, 0])).toEqual(['a=1', 'b=a+1']);
  expect(inOrder('function f(){return a}var a=1,b=f();', [2, 1, 0])).toEqual(['f=()=>{return a}', 'a=1', 'b=f()']);
  expect(inOrder('var a=class{},b=class extends a{};', [1, 0])).toEqual(['a=class{}', 'b=class extends a{}']);
  expect(inOrder('var a=1,b=class{static s=a;t=c},c=2;', [2, 1, 0])).toEqual(['c=2', 'a=1', 'b=class{static s=a;t=c}']);
  expect(inOrder('var f=g=>g(),a=1,b=f(()=>a);', [2, 1, 0])).toEqual(['f=g=>g()', 'a=1', 'b=f(()=>a)']);
});

test('what runs later does not hold it back', () => {
  expect(inOrder('var a=1,b=()=>a,c={d(){return a}};', [2, 1, 0])).toEqual(['c={d(){return a}}', 'b=()=>a', 'a=1']);
});

test('pieces that need each other have no order', () => {
  expect(() => inOrder('function f(){return[a,b]}var a=f(),b=f();', [0, 1, 2])).toThrow('need each other');
});

test('letters change places in what is a piece’s own, keys stay', () => {
  expect(withNames('var f=(e,t)=>e.t+t.e;', 'et>te')).toBe('f=(t,e)=>t.t+e.e');
  expect(withNames('var f=({e,t:n=e})=>({e,n});', 'en>ne')).toBe('f=({e:n,t:e=n})=>({e:n,n:e})');
  expect(withNames('var f=e=>t=>{let n=e;return(e=>e+n)(t)};', 'ent>nte')).toBe('f=n=>e=>{let t=n;return(n=>n+t)(e)}');
  expect(withNames('var f=class e{#e=1;t(n){return n instanceof e?this.#e:n[n.e]}};', 'en>ne')).toBe(
    'f=class n{#e=1;t(e){return e instanceof n?this.#e:e[e.e]}}',
  );
});

test('a letter that means something outside the piece keeps it', () => {
  for (const code of ['var f=e=>e+n;', 'var n=e=>e;', 'var f=e=>{try{n()}catch(n){e(n)}};', 'function n(e){return this+e}'])
    expect(withNames(code, 'en>ne')).toBe(withNames(code, ''));
});

test('a source map goes along', () => {
  // Two lines; segments at a, at 1, and at b on the second line.
  const code = 'var a=1,\nb=e=>e;';
  const segments = segmentsOf(code, { mappings: 'IAAA,EAAC;AAEA,EAAE' });
  expect(segments.map(({ at }: Segment) => code.slice(at, at + 1))).toEqual(['a', '1', 'b', 'e']);
  const moved = assembled(code, segments, ['var ', [9, 11], [11, 12, 't'], [12, 15], ',', [4, 7], ';']);
  expect(moved.code).toBe('var b=t=>e,a=1;');
  // A range that begins with no segment of its own has that of what stood before it.
  expect(segmentsOf(moved.code, moved).map(({ at, fields }: Segment) => [moved.code[at], fields])).toEqual([
    ['b', [0, 2, 1]],
    ['t', [0, 2, 3]],
    ['=', [0, 2, 3]],
    ['a', [0, 0, 0]],
    ['1', [0, 0, 1]],
  ]);
});
