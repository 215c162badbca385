// Text that repeats itself, for what WGSL cannot say with a loop: an array's index that is a number.
//
//   #repeat k 0 64:
//   let w$k = weight[$k];
//   #end;
//
// is 64 lines, with 0 … 63 for `$k`; `w$3` is the `w3` of such lines. Repetitions nest. The module that ships writes them out when it loads (src/kernels/shader-text.ts).

const opening = /#repeat (\w+) (\d+) (\d+):/g;

/** A text as TypeScript: a template that calls `times` where it repeats, else a plain string. */
export function textLiteral(text) {
  if (!text.includes('#repeat')) return JSON.stringify(text);
  if (/[`\\]|\$\{/.test(text)) throw new Error('a text that repeats holds a character that a template would read');
  return `\`${text
    .replace(/\$(\w+)/g, (_, name) => (/^\d/.test(name) ? name : `\${${name}}`))
    .replace(opening, (_, name, from, to) => `\${times(${from}, ${to}, (${name}) => \``)
    .replaceAll('#end;', '`)}')}\``;
}

/** A text with its repetitions written out. */
export function repeated(text) {
  const times = (from, to, text) => Array.from({ length: to - from }, (_, i) => text(from + i)).join('');
  return new Function('times', `return ${textLiteral(text)}`)(times);
}
