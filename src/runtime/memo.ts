/** What a map holds under a key; made and kept where it holds nothing yet. */
export function memo<K, V>(map: { get(key: K): V | undefined; set(key: K, value: V): unknown }, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const value = make();
  map.set(key, value);
  return value;
}

/** The same for a promise, which is forgotten where it fails. */
export const memoAsync = <K, V>(map: Map<K, Promise<V>>, key: K, make: () => Promise<V>): Promise<V> =>
  memo(map, key, () => {
    const value = make();
    value.catch(() => map.delete(key));
    return value;
  });
