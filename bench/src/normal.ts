/** Standard normal numbers from uniform ones, by Box and Muller. */
export const normalGenerator = (uniform: () => number) => (): number =>
  Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
