/** Arrays of one kind, one after another. @param arrays one at least. */
export function joined<A extends Float32Array | Uint32Array>(arrays: readonly A[]): A {
  const Kind = arrays[0]!.constructor as new (length: number) => A;
  const all = new Kind(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const array of arrays) {
    all.set(array, at);
    at += array.length;
  }
  return all;
}
