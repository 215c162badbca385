// Text that repeats itself, for what WGSL cannot say with a loop: an array's index that is a number.
//
//   #repeat k 0 64:
//   let w$k = weight[$k];
//   #end;
//
// is 64 lines, with 0 … 63 for `$k`; `w$3` is the `w3` of such lines. Repetitions nest. The module that ships writes them out when it loads (src/kernels/shader-text.ts).

/** A text with marks for the two lines, without words that a minifier could take for names: `#k 0 64:` and `##;`. */
export const marked = (text) => text.replace(/#repeat (\w+ \d+ \d+:)/g, '#$1').replaceAll('#end;', '##;');

/** Whether a marked text repeats itself. */
export const repeats = (text) => text.includes('##;');

/** A marked text as TypeScript: a template that calls `times` where it repeats, else a plain string. */
export function textLiteral(text) {
  if (!repeats(text)) return JSON.stringify(text);
  if (/[`\\]|\$\{/.test(text)) throw new Error('a text that repeats holds a character that a template would read');
  return `\`${text
    .replace(/\$(\w+)/g, (_, name) => (/^\d/.test(name) ? name : `\${${name}}`))
    .replace(/#(\w+) (\d+) (\d+):/g, (_, name, from, to) => `\${times(${from}, ${to}, (${name}) => \``)
    .replaceAll('##;', '`)}')}\``;
}

/** A marked text with its repetitions written out. */
export function repeated(text) {
  const times = (from, to, text) => Array.from({ length: to - from }, (_, i) => text(from + i)).join('');
  return new Function('times', `return ${textLiteral(text)}`)(times);
}
