// Monotone splines on a box [LOW, HIGH] x [BOTTOM, TOP]: the transformers of neural spline flows, in both directions. The file that imports
// this supplies `fn parameter(at: u32) -> vec4<f32>`; parameter p of a feature is at `at + p stride`. src/kernels/spline.ts holds the names.
//
// Knots. K = BINS bins; w = fractions of the box's width, h = of its height, cumulated in order, so that the last knot is the box's end:
//   w[k] = MIN_WIDTH + (1 - K MIN_WIDTH) softmax(u / DIVISOR)[k], and h[k] likewise. SOFTCLIP c > 0 (zuko): u / (1 + |2 u / c|).
//   linear: all widths 1 / K. quadratic: densities p at the knots, h[k] = w[k] (p[k] + p[k+1]) / 2, see below.
// Inside a bin of slope s, theta = (x - x[k]) / (x[k+1] - x[k]) and phi = 1 - theta, both computed from the nearer knot; a = d / s for the
// derivatives d at its two knots. g = (y - y[k]) / (y[k+1] - y[k]):
//   rational-quadratic  g = theta (theta + a0 phi) / q,  q = theta^2 + phi^2 + (a0 + a1) theta phi;  dy/dx = s (a1 theta^2 + 2 theta phi + a0 phi^2) / q^2
//                       d = MIN_DERIVATIVE + softplus(u), or e^(u / (1 + |u / c|)) (zuko); at the ends of the box by EDGES
//     inverse           e = a0 (1 - g) - a1 g,  v = |e| + sqrt(e^2 + 4 g (1 - g)): theta = 2 g / (2 g + v), or phi = 2 (1 - g) / (2 (1 - g) + v) where e < 0
//   linear              g = theta
//   quadratic           g = theta (p0 (1 + phi) + p1 theta) / (p0 + p1);  dy/dx ~ p0 phi + p1 theta
//     inverse           theta = g (p0 + p1) / (p0 + sqrt(p0^2 (1 - g) + p1^2 g))
//   cubic               g = theta (a0 phi^2 + (3 - a1) theta phi + theta^2);  dy/dx = s (a0 phi^2 + 2 (3 - a0 - a1) theta phi + a1 theta^2)
//                       d inside: 2 min(s[k-1], s[k], (w[k] s[k-1] + w[k-1] s[k]) / (2 (w[k-1] + w[k])))  (Steffen 1990);  at the ends 3 sigmoid(u) s
//     inverse           Newton steps inside a bracket that shrinks at each, bisection where a step leaves it
// Every term of these forms is positive, so nothing cancels, and the radicands are sums of squares: no rounding makes one negative.
#import "lib/math.wgsl"

const RATIONAL_QUADRATIC = 0u;
const LINEAR = 1u;
const QUADRATIC = 2u;
const CUBIC = 3u;
const IDENTITY = 4u;  // only the tails: what wraps a feature into its box
const TAILS_NONE = 0u;     // nothing outside the box
const TAILS_LINEAR = 1u;   // the identity outside
const TAILS_CIRCULAR = 2u; // the box's ends are one point
const EDGES_ONE = 0u;    // derivative 1 at the ends of the box: K - 1 parameters
const EDGES_SHARED = 1u; // one derivative for both ends: K
const EDGES_FREE = 2u;   // K + 1
const SMALLEST = 9.313226e-10; // 2^-30, least fraction of the box that a bin's slope is computed with

override SPLINE: u32 = 0u;
override TAILS: u32 = 1u;
override EDGES: u32 = 0u;
override BINS: u32 = 8u;
override LOW: f32 = -1.0;
override HIGH: f32 = 1.0;
override BOTTOM: f32 = -1.0;
override TOP: f32 = 1.0;
override SHIFT: f32 = 0.0; // circular: added to x, modulo the box
override MIN_WIDTH: f32 = 0.0;
override MIN_HEIGHT: f32 = 0.0;
override MIN_DERIVATIVE: f32 = 0.0;
override DIVISOR: f32 = 1.0;
override SOFTCLIP: f32 = 0.0;
override UNDO: bool = false; // true: y to x

struct Moved {
  value: vec4<f32>,
  log_det: vec4<f32>, // log|d value / d source|, nats
}

/// Unconstrained width or height.
fn logit(at: u32) -> vec4<f32> {
  let u = parameter(at);
  if (SOFTCLIP > 0.0) { return u / (1.0 + abs(2.0 * u / SOFTCLIP)); }
  return u / DIVISOR;
}

/// What turns logits into a softmax: the largest, and the sum of e^(logit - largest).
struct Spread {
  largest: vec4<f32>,
  sum: vec4<f32>,
}

fn spread(at: u32, stride: u32) -> Spread {
  var largest = logit(at);
  for (var k = 1u; k < BINS; k++) {
    let u = logit(at + k * stride);
    largest = select(largest, u, u > largest);
  }
  var sum = vec4<f32>(0.0);
  for (var k = 0u; k < BINS; k++) { sum += accurate_exp(logit(at + k * stride) - largest); }
  return Spread(largest, sum);
}

/// min + (1 - K min) part / sum, which is `least` K where part = sum.
fn fraction(least: f32, count: f32, part: vec4<f32>, sum: vec4<f32>) -> vec4<f32> {
  return least * count + (1.0 - least * f32(BINS)) * (part / sum);
}

/// Parameter with an index of its own in each of the four rows.
fn pick(at: u32, stride: u32, index: vec4<u32>) -> vec4<f32> {
  let from_at = at + index * stride;
  return vec4<f32>(parameter(from_at.x).x, parameter(from_at.y).y, parameter(from_at.z).z, parameter(from_at.w).w);
}

/// Derivative of a rational-quadratic spline at knot `index`.
fn knot_derivative(at: u32, stride: u32, index: vec4<u32>) -> vec4<f32> {
  if (EDGES == EDGES_ONE && BINS == 1u) { return vec4<f32>(1.0); }
  var own = index;
  if (EDGES == EDGES_ONE) { own = min(max(index, vec4<u32>(1u)), vec4<u32>(BINS - 1u)) - 1u; }
  if (EDGES == EDGES_SHARED) { own = index % BINS; }
  let u = pick(at, stride, own);
  var d: vec4<f32>;
  if (SOFTCLIP > 0.0) { d = accurate_exp(u / (1.0 + abs(u / SOFTCLIP))); } else { d = MIN_DERIVATIVE + accurate_softplus(u); }
  return select(d, vec4<f32>(1.0), vec4<bool>(EDGES == EDGES_ONE) & ((index == vec4<u32>(0u)) | (index == vec4<u32>(BINS))));
}

/// Density of a quadratic spline at knot `index`, before the area is made 1; `edge` at the ends of the box with EDGES_ONE.
fn knot_density(at: u32, stride: u32, index: u32, edge: vec4<f32>) -> vec4<f32> {
  if (EDGES == EDGES_ONE && (index == 0u || index == BINS)) { return edge; }
  return accurate_softplus(parameter(at + (index - select(0u, 1u, EDGES == EDGES_ONE)) * stride)) + 0.001;
}

struct Area {
  area: vec4<f32>,
  edge: vec4<f32>,
}

/// Area under the densities of a quadratic spline. The density at the ends that is to be 1 after division is set from the others as nflows does,
/// whose weights of the outermost bins are half of what would make it exactly 1.
fn quadratic_area(at: u32, heights: u32, stride: u32, widths: Spread) -> Area {
  var inner = vec4<f32>(0.0);
  var ends = vec4<f32>(0.0);      // widths of the first and last bin, added
  var ends_area = vec4<f32>(0.0); // those widths times the density at their inner knot
  var before = knot_density(heights, stride, 0u, vec4<f32>(0.0));
  for (var k = 0u; k < BINS; k++) {
    let w = fraction(MIN_WIDTH, 1.0, accurate_exp(logit(at + k * stride) - widths.largest), widths.sum);
    let after = knot_density(heights, stride, k + 1u, vec4<f32>(0.0));
    if (EDGES == EDGES_ONE && (k == 0u || k + 1u == BINS)) {
      ends += w;
      ends_area += w * (before + after);
    } else {
      inner += 0.5 * (before + after) * w;
    }
    before = after;
  }
  let edge = (0.25 * ends_area + inner) / (1.0 - 0.25 * ends);
  return Area(inner + 0.5 * (ends * edge + ends_area), edge);
}

/// The knot after a fraction of the box.
fn knot(low: f32, high: f32, part: vec4<f32>, last: bool) -> vec4<f32> {
  let at = low + (high - low) * part;
  return select(at, vec4<f32>(high), vec4<bool>(last) | (at > vec4<f32>(high)));
}

/// v modulo the box; its upper end stays. The period is split at 12 bits, so that far values lose nothing but their own last digits.
fn wrap(v: vec4<f32>) -> vec4<f32> {
  let span = HIGH - LOW;
  let leading = bitcast<f32>(bitcast<u32>(span) & 0xfffff000u);
  let turns = floor((v - LOW) / span);
  let inside = (v >= vec4<f32>(LOW)) & (v <= vec4<f32>(HIGH));
  let turned = select((v - turns * leading) - turns * (span - leading), v, inside);
  let above = select(turned, vec4<f32>(LOW), turned < vec4<f32>(LOW));
  return select(above, vec4<f32>(HIGH), above > vec4<f32>(HIGH));
}

/// theta and phi = 1 - theta of a cubic bin at g, h = 1 - g.
fn solve_cubic(g: vec4<f32>, h: vec4<f32>, a0: vec4<f32>, a1: vec4<f32>) -> mat2x4<f32> {
  // From the nearer end, so that the smaller of theta and phi is accurate.
  let far = h < g;
  let target_g = select(g, h, far);
  let near = select(a0, a1, far);
  let other = select(a1, a0, far);
  var low = vec4<f32>(0.0);
  var high = vec4<f32>(1.0);
  var t = target_g;
  var open = vec4<bool>(true); // a row that has converged stays, however long its neighbours take
  for (var i = 0u; i < 48u; i++) {
    let p = 1.0 - t;
    let miss = t * (near * p * p + t * ((3.0 - other) * p + t)) - target_g;
    let slope = near * p * p + t * (2.0 * (3.0 - near - other) * p + other * t);
    low = select(low, t, miss < vec4<f32>(0.0));
    high = select(high, t, miss > vec4<f32>(0.0));
    let newton = t - miss / slope;
    let next = select(0.5 * (low + high), newton, (newton >= low) & (newton <= high));
    open = open & (miss != vec4<f32>(0.0));
    let settled = abs(next - t) <= 2e-7 * next;
    t = select(t, next, open);
    open = open & !settled;
    if (!any(open)) { break; }
  }
  let given = target_g + near + other; // bisection would answer NaN with a number
  t = select(t, given, is_nan4(given));
  let rest = 1.0 - t;
  return mat2x4<f32>(select(t, rest, far), select(rest, t, far));
}

fn move_spline(source: vec4<f32>, at: u32, stride: u32) -> Moved {
  var v = source;
  if (TAILS == TAILS_CIRCULAR) {
    v = wrap(v);
    if (SHIFT != 0.0 && !UNDO) { v = wrap(v + SHIFT); }
  }
  if (SPLINE == IDENTITY) { return Moved(v, vec4<f32>(0.0)); }

  let heights_at = at + select(BINS, 0u, SPLINE == LINEAR) * stride;
  var widths = Spread(vec4<f32>(0.0), vec4<f32>(f32(BINS)));
  if (SPLINE != LINEAR) { widths = spread(at, stride); }
  var heights = widths;
  var area = Area(vec4<f32>(1.0), vec4<f32>(0.0));
  var before = vec4<f32>(0.0); // density at the left knot
  if (SPLINE == QUADRATIC) {
    area = quadratic_area(at, heights_at, stride, widths);
    before = knot_density(heights_at, stride, 0u, area.edge);
  } else {
    heights = spread(heights_at, stride);
  }

  // The bin is the last one of positive width that begins at or before v.
  var bin = vec4<u32>(0u);
  var x0 = vec4<f32>(LOW); var x1 = x0; var y0 = vec4<f32>(BOTTOM); var y1 = y0;
  var w = vec4<f32>(0.0); var h = w; var p0 = w; var p1 = w;
  var x_sum = w; var y_sum = w;
  var x_left = x0; var y_left = y0;
  for (var k = 0u; k < BINS; k++) {
    var w_part = vec4<f32>(1.0);
    if (SPLINE != LINEAR) { w_part = accurate_exp(logit(at + k * stride) - widths.largest); }
    x_sum += w_part;
    let x_fraction = fraction(MIN_WIDTH, f32(k + 1u), x_sum, widths.sum);
    var h_part: vec4<f32>;
    var y_fraction: vec4<f32>;
    var after = vec4<f32>(0.0);
    if (SPLINE == QUADRATIC) {
      after = knot_density(heights_at, stride, k + 1u, area.edge);
      h_part = 0.5 * (before + after) * fraction(MIN_WIDTH, 1.0, w_part, widths.sum);
      y_sum += h_part;
      y_fraction = MIN_HEIGHT * x_fraction + (1.0 - MIN_HEIGHT) * (y_sum / area.area);
    } else {
      h_part = accurate_exp(logit(heights_at + k * stride) - heights.largest);
      y_sum += h_part;
      y_fraction = fraction(MIN_HEIGHT, f32(k + 1u), y_sum, heights.sum);
    }
    let x_right = knot(LOW, HIGH, x_fraction, k + 1u == BINS);
    let y_right = knot(BOTTOM, TOP, y_fraction, k + 1u == BINS);
    let left = select(x_left, y_left, vec4<bool>(UNDO));
    let right = select(x_right, y_right, vec4<bool>(UNDO));
    let here = vec4<bool>(k == 0u) | ((left <= v) & (left < right));
    bin = select(bin, vec4<u32>(k), here);
    x0 = select(x0, x_left, here);
    x1 = select(x1, x_right, here);
    y0 = select(y0, y_left, here);
    y1 = select(y1, y_right, here);
    w = select(w, w_part, here);
    h = select(h, h_part, here);
    p0 = select(p0, before, here);
    p1 = select(p1, after, here);
    x_left = x_right;
    y_left = y_right;
    before = after;
  }

  // Distances to both knots are exact or nearly so; their sum is the bin's size.
  let into = select(v - x0, v - y0, vec4<bool>(UNDO));
  let rest = select(x1 - v, y1 - v, vec4<bool>(UNDO));
  var theta = into / (into + rest);
  var phi = rest / (into + rest);
  var g = theta;
  var g_rest = phi;
  // Slope of the bin from its own width and height: as differences of knots they would have lost digits.
  w = fraction(MIN_WIDTH, 1.0, w, widths.sum);
  w = select(w, vec4<f32>(SMALLEST), w < vec4<f32>(SMALLEST));
  let aspect = (TOP - BOTTOM) / (HIGH - LOW);
  var slope: vec4<f32>; // dy/dx
  if (SPLINE == QUADRATIC) {
    p0 = MIN_HEIGHT + (1.0 - MIN_HEIGHT) * (p0 / area.area);
    p1 = MIN_HEIGHT + (1.0 - MIN_HEIGHT) * (p1 / area.area);
    if (UNDO) {
      let root = sqrt(p0 * p0 * g_rest + p1 * p1 * g);
      theta = g * ((p0 + p1) / (p0 + root));
      phi = g_rest * ((p0 + p1) / (p1 + root));
    }
    g = theta * (p0 * (1.0 + phi) + p1 * theta) / (p0 + p1);
    g_rest = phi * (p1 * (1.0 + theta) + p0 * phi) / (p0 + p1);
    slope = aspect * (p0 * phi + p1 * theta);
  } else {
    h = fraction(MIN_HEIGHT, 1.0, h, heights.sum);
    h = select(h, vec4<f32>(SMALLEST), h < vec4<f32>(SMALLEST));
    let s = h / w;
    slope = aspect * s;
    if (SPLINE == RATIONAL_QUADRATIC) {
      let a0 = knot_derivative(heights_at + BINS * stride, stride, bin) / slope;
      let a1 = knot_derivative(heights_at + BINS * stride, stride, bin + 1u) / slope;
      if (UNDO) {
        let e = a0 * g_rest - a1 * g;
        // Where its square would leave the range of floats, e is all that counts. The last term keeps 0 / 0 away.
        let root = select(sqrt(e * e + 4.0 * g * g_rest), abs(e), abs(e) > vec4<f32>(1e9));
        let sum = abs(e) + root + 1e-30;
        let steep = e < vec4<f32>(0.0);
        theta = select(2.0 * g, sum, steep) / select(2.0 * g + sum, sum + 2.0 * g_rest, steep);
        phi = select(sum, 2.0 * g_rest, steep) / select(2.0 * g + sum, sum + 2.0 * g_rest, steep);
      }
      let t = theta * phi;
      let q = theta * theta + phi * phi + (a0 + a1) * t;
      g = theta * (theta + a0 * phi) / q;
      g_rest = phi * (phi + a1 * theta) / q;
      slope *= (a1 * theta * theta + 2.0 * t + a0 * phi * phi) / q / q;
    }
    if (SPLINE == CUBIC) {
      // Derivatives over the slope of this bin, from the slopes of its neighbours.
      var a: array<vec4<f32>, 2>;
      for (var side = 0u; side < 2u; side++) {
        let at_end = bin == vec4<u32>(select(0u, BINS - 1u, side == 1u));
        let next = select(select(bin - 1u, bin + 1u, vec4<bool>(side == 1u)), bin, at_end);
        let w_next = fraction(MIN_WIDTH, 1.0, accurate_exp(pick(at, stride, next) / DIVISOR - widths.largest), widths.sum);
        let h_next = fraction(MIN_HEIGHT, 1.0, accurate_exp(pick(heights_at, stride, next) / DIVISOR - heights.largest), heights.sum);
        let w_safe = select(w_next, vec4<f32>(SMALLEST), w_next < vec4<f32>(SMALLEST));
        let ratio = select(h_next, vec4<f32>(SMALLEST), h_next < vec4<f32>(SMALLEST)) / w_safe / s;
        // The mean of two slopes weighs each with the other's width; twice the smaller slope bounds it.
        let weighted = (w_safe + w * ratio) / (w + w_safe);
        let bound = select(vec4<f32>(2.0), 2.0 * ratio, ratio < vec4<f32>(1.0));
        let inner = select(weighted, bound, bound < weighted);
        let edge = 3.0 * accurate_sigmoid(parameter(at + (2u * BINS + side) * stride));
        a[side] = select(inner, edge, at_end);
      }
      if (UNDO) {
        let solved = solve_cubic(g, g_rest, a[0], a[1]);
        theta = solved[0];
        phi = solved[1];
      }
      g = theta * (a[0] * phi * phi + theta * ((3.0 - a[1]) * phi + theta));
      g_rest = phi * (a[1] * theta * theta + phi * ((3.0 - a[0]) * theta + phi));
      let steepness = a[0] * phi * phi + theta * (2.0 * (3.0 - a[0] - a[1]) * phi + a[1] * theta);
      slope *= select(steepness, vec4<f32>(0.0), steepness < vec4<f32>(0.0));
    }
  }
  if (UNDO) {
    g = theta;
    g_rest = phi;
  }
  let first = select(y0, x0, vec4<bool>(UNDO));
  let last = select(y1, x1, vec4<bool>(UNDO));
  var value = select(last - (last - first) * g_rest, first + (last - first) * g, g < g_rest);
  slope = select(slope, v, is_nan4(v)); // that of a linear spline does not depend on v
  value = select(value, slope, is_nan4(slope)); // and the value not always on every parameter

  let below = v < vec4<f32>(select(LOW, BOTTOM, UNDO));
  let above = v > vec4<f32>(select(HIGH, TOP, UNDO));
  if (TAILS == TAILS_LINEAR) {
    value = select(value, v, below | above);
    slope = select(slope, vec4<f32>(1.0), below | above);
  }
  if (TAILS == TAILS_NONE) {
    // No x has such a y: NaN. Such an x has no density: the nearest end, at which the later layers stay finite, and log-det minus infinity.
    if (UNDO) {
      let nan = bitcast<vec4<f32>>(bitcast<vec4<u32>>(v) | vec4<u32>(0x7fc00000u));
      value = select(value, nan, below | above);
      slope = select(slope, nan, below | above);
    } else {
      value = select(select(value, vec4<f32>(BOTTOM), below), vec4<f32>(TOP), above);
      slope = select(slope, vec4<f32>(0.0), below | above);
    }
  }
  if (TAILS == TAILS_CIRCULAR && SHIFT != 0.0 && UNDO) { value = wrap(value - SHIFT); }
  let log_slope = accurate_log(slope);
  return Moved(value, select(log_slope, -log_slope, vec4<bool>(UNDO)));
}
