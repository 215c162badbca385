// Numbers as the page writes them: true minus signs and thin groups, so that columns of them line up.

const oneDecimal = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const threeDigits = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });

const typeset = (text: string): string => text.replace('-', '−').replaceAll(',', '\u202f');

export const nats = (value: number): string => (Number.isFinite(value) ? typeset(oneDecimal.format(value)) : String(value));
export const integer = (value: number): string => typeset(whole.format(value));
/** Three digits are all that a timing is worth. */
export const measured = (value: number): string => typeset(threeDigits.format(value));
export const milliseconds = (value: number): string => `${measured(value)} ms`;

export function ordinal(n: number): string {
  const ending = n % 100 > 10 && n % 100 < 14 ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th');
  return `${n}${ending}`;
}
