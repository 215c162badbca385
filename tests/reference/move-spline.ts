// Twin of shaders/lib/spline.wgsl, by the papers' own formulas instead of the shader's rearranged ones: polynomial coefficients, the quadratic
// formula, bisection for the cubic.

import { EDGES_NUMBER, SPLINE_NUMBER, TAILS_NUMBER } from '../../src/kernels/spline.js';
import { sigmoid, softplus } from './math.js';

export interface SplineConstants {
  readonly SPLINE: number;
  readonly TAILS: number;
  readonly EDGES: number;
  readonly BINS: number;
  readonly LOW: number;
  readonly HIGH: number;
  readonly BOTTOM: number;
  readonly TOP: number;
  readonly SHIFT: number;
  readonly MIN_WIDTH: number;
  readonly MIN_HEIGHT: number;
  readonly MIN_DERIVATIVE: number;
  readonly DIVISOR: number;
  readonly SOFTCLIP: number;
  readonly UNDO: boolean;
}

type Parameter = (index: number) => number;

/** Fractions of the box: min + (1 − K min) softmax. */
function fractions(constants: SplineConstants, least: number, parameter: Parameter): number[] {
  const { BINS, DIVISOR, SOFTCLIP } = constants;
  const logits = Array.from({ length: BINS }, (_, k) => {
    const u = parameter(k);
    return SOFTCLIP > 0 ? u / (1 + Math.abs((2 * u) / SOFTCLIP)) : u / DIVISOR;
  });
  const largest = logits.reduce((a, b) => Math.max(a, b));
  const exps = logits.map((u) => Math.exp(u - largest));
  const sum = exps.reduce((a, b) => a + b, 0);
  return exps.map((e) => Math.max(2 ** -30, least + (1 - BINS * least) * (e / sum)));
}

/** Ends of the bins: low, …, high. */
function knotsOf(sizes: readonly number[], low: number, high: number): number[] {
  const knots = [low];
  let sum = 0;
  for (const size of sizes) {
    sum += size;
    knots.push(low + (high - low) * sum);
  }
  knots[sizes.length] = high;
  return knots;
}

/** Densities at the knots of a quadratic spline of area 1; nflows' weights for the outermost ones. */
function densities(constants: SplineConstants, widths: readonly number[], parameter: Parameter): number[] {
  const { BINS, EDGES, MIN_HEIGHT } = constants;
  const free = EDGES === EDGES_NUMBER.free;
  const raw = Array.from({ length: free ? BINS + 1 : BINS - 1 }, (_, k) => softplus(parameter(k)) + 1e-3);
  if (!free) {
    const [first, last] = [widths[0]!, widths[BINS - 1]!];
    let numerator = 0.25 * (first * raw[0]! + last * raw[BINS - 2]!);
    for (let k = 1; k < BINS - 1; k++) numerator += 0.5 * (raw[k - 1]! + raw[k]!) * widths[k]!;
    const edge = numerator / (1 - 0.25 * (first + last));
    raw.unshift(edge);
    raw.push(edge);
  }
  const area = widths.reduce((sum, w, k) => sum + 0.5 * (raw[k]! + raw[k + 1]!) * w, 0);
  return raw.map((p) => MIN_HEIGHT + (1 - MIN_HEIGHT) * (p / area));
}

/** Derivatives dy/dx at the knots. */
function derivatives(constants: SplineConstants, slopes: readonly number[], widths: readonly number[], parameter: Parameter): number[] {
  const { SPLINE, EDGES, BINS, MIN_DERIVATIVE, SOFTCLIP } = constants;
  if (SPLINE === SPLINE_NUMBER.cubic) {
    const inner = Array.from({ length: BINS - 1 }, (_, i) => {
      const [s0, s1, w0, w1] = [slopes[i]!, slopes[i + 1]!, widths[i]!, widths[i + 1]!];
      return 2 * Math.min(s0, s1, (0.5 * (w1 * s0 + w0 * s1)) / (w0 + w1));
    });
    return [3 * sigmoid(parameter(0)) * slopes[0]!, ...inner, 3 * sigmoid(parameter(1)) * slopes[BINS - 1]!];
  }
  const derivative = (u: number) => (SOFTCLIP > 0 ? Math.exp(u / (1 + Math.abs(u / SOFTCLIP))) : MIN_DERIVATIVE + softplus(u));
  return Array.from({ length: BINS + 1 }, (_, k) => {
    if (EDGES === EDGES_NUMBER.one) return k === 0 || k === BINS ? 1 : derivative(parameter(k - 1));
    return derivative(parameter(EDGES === EDGES_NUMBER.shared ? k % BINS : k));
  });
}

const wrapped = ({ LOW, HIGH }: SplineConstants, v: number): number =>
  v >= LOW && v <= HIGH ? v : v - (HIGH - LOW) * Math.floor((v - LOW) / (HIGH - LOW));

/** A root of an increasing function with f(0) ≤ 0 ≤ f(1), by bisection to the last bit. */
function bisect(f: (t: number) => number): number {
  let [low, high] = [0, 1];
  for (let i = 0; i < 100; i++) {
    const middle = 0.5 * (low + high);
    if (f(middle) < 0) low = middle;
    else high = middle;
  }
  return 0.5 * (low + high);
}

/** A bin as polynomials of θ: y = y0 + h g(θ), and dy/dx. */
interface Bin {
  readonly g: (theta: number) => number;
  readonly slope: (theta: number) => number;
  /** θ at which g is the given number. */
  readonly root: (g: number) => number;
}

function rationalQuadratic(s: number, d0: number, d1: number): Bin {
  const c = d0 + d1 - 2 * s;
  const denominator = (t: number) => s + c * t * (1 - t);
  return {
    g: (t) => (s * t * t + d0 * t * (1 - t)) / denominator(t),
    slope: (t) => (s * s * (d1 * t * t + 2 * s * t * (1 - t) + d0 * (1 - t) ** 2)) / denominator(t) ** 2,
    root: (g) => {
      const a = s - d0 + g * c;
      const b = d0 - g * c;
      const discriminant = Math.max(0, b * b + 4 * a * s * g);
      const sum = b + Math.sqrt(discriminant);
      return g === 0 ? 0 : Math.min(1, sum === 0 ? 1 : (2 * s * g) / sum);
    },
  };
}

function cubic(s: number, d0: number, d1: number): Bin {
  const [a, b, c] = [(d0 + d1) / s - 2, 3 - (2 * d0 + d1) / s, d0 / s];
  const g = (t: number) => t * (c + t * (b + t * a));
  return { g, slope: (t) => Math.max(0, s * (c + t * (2 * b + 3 * a * t))), root: (target) => bisect((t) => g(t) - target) };
}

/** `width` is a fraction of the box, p0 and p1 are densities. */
function quadratic(p0: number, p1: number, aspect: number): Bin {
  const mean = 0.5 * (p0 + p1);
  return {
    g: (t) => (p0 * t + 0.5 * (p1 - p0) * t * t) / mean,
    slope: (t) => aspect * (p0 + (p1 - p0) * t),
    root: (g) => (2 * mean * g) / (p0 + Math.sqrt(p0 * p0 + 2 * (p1 - p0) * mean * g)),
  };
}

/** Fractions of the box of each bin, densities at the knots of a quadratic spline, and the knots. */
export function knotsOfSpline(constants: SplineConstants, parameter: Parameter) {
  const { SPLINE, BINS, LOW, HIGH, BOTTOM, TOP, MIN_WIDTH, MIN_HEIGHT } = constants;
  const linear = SPLINE === SPLINE_NUMBER.linear;
  const widths = linear ? Array.from({ length: BINS }, () => 1 / BINS) : fractions(constants, MIN_WIDTH, parameter);
  const heightAt: Parameter = (k) => parameter(k + (linear ? 0 : BINS));
  const p = SPLINE === SPLINE_NUMBER.quadratic ? densities(constants, widths, heightAt) : null;
  const heights = p ? widths.map((w, k) => 0.5 * w * (p[k]! + p[k + 1]!)) : fractions(constants, MIN_HEIGHT, heightAt);
  return { widths, heights, p, x: knotsOf(widths, LOW, HIGH), y: knotsOf(heights, BOTTOM, TOP) };
}

/** x ↦ y, or y ↦ x with UNDO, and log|d value / d source|. */
export function moveSpline(constants: SplineConstants, source: number, parameter: Parameter): readonly [value: number, logDet: number] {
  const { SPLINE, TAILS, BINS, LOW, HIGH, BOTTOM, TOP, SHIFT, UNDO } = constants;
  const circular = TAILS === TAILS_NUMBER.circular;
  const v = circular ? wrapped(constants, UNDO ? source : source + SHIFT) : source;
  if (SPLINE === SPLINE_NUMBER.identity) return [v, 0];
  if (Number.isNaN(v)) return [v, v];
  const [begin, end] = UNDO ? [BOTTOM, TOP] : [LOW, HIGH];
  if (v < begin || v > end) {
    if (TAILS === TAILS_NUMBER.linear) return [v, 0];
    if (UNDO) return [Number.NaN, Number.NaN];
    return [v < begin ? BOTTOM : TOP, Number.NEGATIVE_INFINITY];
  }
  const { widths, heights, p, x: xs, y: ys } = knotsOfSpline(constants, parameter);
  const searched = UNDO ? ys : xs;
  let k = 0;
  while (k + 1 < BINS && v >= searched[k + 1]!) k++;
  const aspect = (TOP - BOTTOM) / (HIGH - LOW);
  const slopes = heights.map((h, i) => (aspect * h) / widths[i]!);
  let bin: Bin;
  if (p) bin = quadratic(p[k]!, p[k + 1]!, aspect);
  else if (SPLINE === SPLINE_NUMBER.linear) bin = { g: (t) => t, slope: () => slopes[k]!, root: (g) => g };
  else {
    const d = derivatives(constants, slopes, widths, (i) => parameter(i + 2 * BINS));
    bin = (SPLINE === SPLINE_NUMBER.cubic ? cubic : rationalQuadratic)(slopes[k]!, d[k]!, d[k + 1]!);
  }
  const place = (v - searched[k]!) / (searched[k + 1]! - searched[k]!);
  const theta = UNDO ? bin.root(place) : place;
  const logSlope = Math.log(bin.slope(theta));
  if (!UNDO) return [ys[k]! + (ys[k + 1]! - ys[k]!) * bin.g(theta), logSlope];
  const x = xs[k]! + (xs[k + 1]! - xs[k]!) * theta;
  return [circular ? wrapped(constants, x - SHIFT) : x, -logSlope];
}
