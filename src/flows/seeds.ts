// Keys of random numbers that are drawn more than once for one seed.

const mask64 = (1n << 64n) - 1n;

/** Output function of SplitMix64 (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195): a bijection of 64-bit words. */
function mixed(word: bigint): bigint {
  let z = word & mask64;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask64;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask64;
  return z ^ (z >> 31n);
}

/** Seed number `index` out of one. Seeds next to each other share none, as seed + index would. */
export function derivedSeed(seed: number, index: number): number {
  return Number(mixed(mixed(BigInt(seed)) + BigInt(index + 1) * 0x9e3779b97f4a7c15n) >> 11n);
}
