// Float64 twins of shaders/lib/math.wgsl and shaders/lib/philox.wgsl. V8's Math is good to about one unit in the last place of
// float64, 2^29 times finer than what the float32 kernels are held to.

export const exp = Math.exp;
export const expm1 = Math.expm1;
export const log = Math.log;
export const log1p = Math.log1p;
export const tanh = Math.tanh;
export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
export const softplus = (x: number): number => (Number.isNaN(x) ? x : Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))));

/** sin and cos of 2π · u / 2^32; the quarter turn is taken off before any rounding. */
export function sinCos2Pi(u: number): readonly [sin: number, cos: number] {
  const quarter = Math.round(u / 2 ** 30);
  const angle = (u - quarter * 2 ** 30) * ((2 * Math.PI) / 2 ** 32);
  const sine = Math.sin(angle);
  const cosine = Math.cos(angle);
  switch (quarter & 3) {
    case 0:
      return [sine, cosine];
    case 1:
      return [cosine, -sine];
    case 2:
      return [-sine, -cosine];
    default:
      return [-cosine, sine];
  }
}

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

/** |got − exact| in units of the last place that float32 has at `exact`. */
export function errorInUlp(got: number, exact: number): number {
  const size = Math.abs(exact);
  scratch[0] = size;
  let exponent = scratchBits[0] >>> 23;
  if (scratch[0] > size && (scratchBits[0] & 0x7fffff) === 0) exponent--; // rounded up to a power of two
  return Math.abs(got - exact) / 2 ** (Math.max(exponent, 1) - 150);
}

function multiplyHigh(a: number, b: number): number {
  const [aLow, aHigh, bLow, bHigh] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const other = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + (middle >>> 16) + (other >>> 16)) >>> 0;
}

export type Words = [number, number, number, number];

/** Philox4x32-10 (Salmon et al. 2011, doi:10.1145/2063384.2063405), bit for bit. */
export function philox4x32(counter: Readonly<Words>, key: readonly [number, number]): Words {
  let [x, y, z, w] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const [high0, low0] = [multiplyHigh(0xd2511f53, x), Math.imul(0xd2511f53, x) >>> 0];
    const [high1, low1] = [multiplyHigh(0xcd9e8d57, z), Math.imul(0xcd9e8d57, z) >>> 0];
    [x, y, z, w] = [(high1 ^ y ^ k0) >>> 0, low1, (high0 ^ w ^ k1) >>> 0, low0];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [x, y, z, w];
}

export const uniform01 = (word: number): number => ((word >>> 9) + 0.5) / 2 ** 23;

/** One pair of standard normals (Box and Muller 1958): radius from the first word, angle from the second. */
export function normalPair(radiusWord: number, angleWord: number): readonly [number, number] {
  const log = radiusWord < 2 ** 31 ? Math.log((radiusWord + 0.5) / 2 ** 32) : Math.log1p(-(2 ** 32 - radiusWord - 0.5) / 2 ** 32);
  const radius = Math.sqrt(-2 * log);
  const [sine, cosine] = sinCos2Pi(angleWord);
  return [radius * cosine, radius * sine];
}

/** What `normals` makes of one Philox block: the pair of the first two words, then of the last two. */
export function normalsFromBits(words: Readonly<Words>): Words {
  return [...normalPair(words[0], words[1]), ...normalPair(words[2], words[3])];
}

/** Φ, to 7.5e-8 (Abramowitz and Stegun 1964, 26.2.17). */
export function normalDistribution(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const tail = (Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI)) * series;
  return x < 0 ? tail : 1 - tail;
}
