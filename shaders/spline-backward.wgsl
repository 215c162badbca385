// Vector-Jacobian product of the splines (spline.wgsl), all features at once.
//
// With y = y0 + (y1 - y0) g(theta, a) and L = log dy/dx = log s + l(theta, a), s = (y1 - y0) / (x1 - x0) the slope of the bin, a = d / s for
// the derivatives d at its knots, t = theta phi, q = theta^2 + phi^2 + (a0 + a1) t, N = a1 theta^2 + 2 t + a0 phi^2:
//   dg/dtheta = N / q^2                          dl/dtheta = N' / N - 2 (phi - theta) (a0 + a1 - 2) / q
//   dg/da0 = t (phi^2 + a1 t) / q^2              dl/da0 = phi^2 / N - 2 t / q
//   dg/da1 = -t theta (theta + a0 phi) / q^2     dl/da1 = theta^2 / N - 2 t / q
//   T = d y (y1 - y0) dg/dtheta + d L dl/dtheta  A = d y (y1 - y0) dg/da + d L dl/da    S = (d L - sum a A) / s
//   d x = T / (x1 - x0)                          d d = A / s
//   d x0 = (S s - phi T) / (x1 - x0)             d x1 = (-S s - theta T) / (x1 - x0)
//   d y0 = d y (1 - g) - S / (x1 - x0)           d y1 = d y g + S / (x1 - x0)
// A fraction f[k] of the box moves all knots after bin k; through the softmax d u[k] = (1 - K min) f[k] (d f[k] - sum f d f).
// Cubic: N = a0 phi^2 + 2 (3 - a0 - a1) t + a1 theta^2, g by a0 theta phi^2, by a1 -theta^2 phi, l by a0 (phi^2 - 2 t) / N, by a1 (theta^2 - 2 t) / N.
// An inner a is the mean (w' + w r) / (w + w') or the bound 2 min(1, r) of r = s' / s, primes for the neighbour across the knot, so A goes on to
// both bins' fractions; at the ends of the box a = 3 sigmoid(u), and S = d L / s.
// Quadratic: y = y0 + H w (p0 theta + (p1 - p0) theta^2 / 2), L = log(p0 phi + p1 theta), H the height of the box; d p[j] collects this bin's and
// H d y / 2 times the widths beside j before it. Densities p = least + (1 - least) P / area: d P = (1 - least) / area d p + d area (w[j-1] + w[j]) / 2,
// d area = -sum (p - least) d p / area; the density at the ends, where it is set from the others, hands its gradient on to them
// and to the widths (lib/spline.wgsl, quadratic_area).
// UNDO: the source is y, and `x` holds the output. With d x, d M of M = -L: d y = (d x - d M dL/dx) / (dy/dx), and the parameters get what
// the forward direction gives for the adjoints -d y and -d M.
//
// Shapes      x, d_value, d_source tiled [features, rows]; parameters tiled [P SLOTS, rows] or f32 [P SLOTS, 4] with SHARED; slot u32 [features];
//             d_log_terms tiled [SLOTS, rows]; d_parameters tiled [P SLOTS, rows].
// Error       1e-3 relative to max(1, |value|) on parameters of deviation 1/2 (tests/cases/spline-backward.ts): a bin's width divides.
// Paper       Durkan et al. 2019, arXiv:1906.04032 and arXiv:1906.02145; Mueller et al. 2019, arXiv:1808.03856.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/spline.wgsl"

const NONE = 0xffffffffu;

struct Params {
  features: u32,
  slots: u32,
  parameter_features: u32,
  gradient_features: u32, // of d_parameters
}

override HAS_Y: bool = true; // the loss depends on the value
override HAS_LOG_DET: bool = true; // and on the log-det terms
override SHARED: bool = false;

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> parameters: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> slot: array<u32>;
@group(0) @binding(5) var<storage, read> d_value: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> d_log_terms: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> d_source: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> d_parameters: array<vec4<f32>>;

fn parameter(at: u32) -> vec4<f32> { return parameters[at]; }

/// d logit / d u.
fn logit_slope(at: u32) -> vec4<f32> {
  if (SOFTCLIP > 0.0) {
    let below = 1.0 + abs(2.0 * parameter(at) / SOFTCLIP);
    return 1.0 / (below * below);
  }
  return vec4<f32>(1.0 / DIVISOR);
}

/// Parameter, from 0, of the derivative at a knot; BINS + 1 for one that is 1.
fn knot_parameter(index: vec4<u32>) -> vec4<u32> {
  if (EDGES == EDGES_ONE) { return select(index - 1u, vec4<u32>(BINS + 1u), (index == vec4<u32>(0u)) | (index == vec4<u32>(BINS))); }
  if (EDGES == EDGES_SHARED) { return index % BINS; }
  return index;
}

/// A derivative of a cubic bin over its slope, as lib/spline.wgsl finds it, and how it depends on the bin and on the one beside it.
struct Beside {
  a: vec4<f32>,
  at_end: vec4<bool>, // of the box: a parameter of its own
  ratio: vec4<f32>,   // of the slope beside to that of the bin
  by_ratio: vec4<f32>,
  by_w: vec4<f32>,
  by_w_next: vec4<f32>,
  w_next: vec4<f32>,
  h_next: vec4<f32>,
  w_part: vec4<f32>, // share of the softmax
  h_part: vec4<f32>,
}

fn cubic_derivative(
  at: u32, heights_at: u32, stride: u32, bin: vec4<u32>, side: u32, w: vec4<f32>, h: vec4<f32>, widths: Spread, heights: Spread,
) -> Beside {
  let at_end = bin == vec4<u32>(select(0u, BINS - 1u, side == 1u));
  let next = select(select(bin - 1u, bin + 1u, vec4<bool>(side == 1u)), bin, at_end);
  let w_part = accurate_exp(pick(at, stride, next) / DIVISOR - widths.largest) / widths.sum;
  let h_part = accurate_exp(pick(heights_at, stride, next) / DIVISOR - heights.largest) / heights.sum;
  let w_next = fraction(MIN_WIDTH, 1.0, w_part, vec4<f32>(1.0));
  let h_next = fraction(MIN_HEIGHT, 1.0, h_part, vec4<f32>(1.0));
  let ratio = h_next / w_next / (h / w);
  let weighted = (w_next + w * ratio) / (w + w_next);
  let falls = ratio < vec4<f32>(1.0);
  let bound = select(vec4<f32>(2.0), 2.0 * ratio, falls);
  let bounded = bound < weighted;
  let zero = vec4<f32>(0.0);
  let squares = (w + w_next) * (w + w_next);
  let edge = 3.0 * accurate_sigmoid(parameter(at + (2u * BINS + side) * stride));
  return Beside(
    select(select(weighted, bound, bounded), edge, at_end),
    at_end,
    ratio,
    select(w / (w + w_next), select(zero, vec4<f32>(2.0), falls), bounded),
    select(w_next * (ratio - 1.0) / squares, zero, bounded),
    select(w * (1.0 - ratio) / squares, zero, bounded),
    w_next,
    h_next,
    w_part,
    h_part,
  );
}

@compute @workgroup_size(16, 4)
fn spline_backward(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.y;
  if (id.x * 4u >= rows() || f >= params.features) { return; }
  let zero = vec4<f32>(0.0);
  let place = tiled(params.features, id.x) + f * TILE4;
  var given = zero;
  if (HAS_Y) { given = d_value[place]; }
  let j = slot[f];
  if (j == NONE) {
    d_source[place] = given;
    return;
  }
  var d_log = zero;
  if (HAS_LOG_DET) { d_log = d_log_terms[tiled(params.slots, id.x) + j * TILE4]; }
  let at = select(tiled(params.parameter_features, id.x) + j * TILE4, j, SHARED);
  let stride = params.slots * select(TILE4, 1u, SHARED);
  let into = tiled(params.gradient_features, id.x) + j * TILE4;
  let into_stride = params.slots * TILE4;

  var v = x[place];
  if (TAILS == TAILS_CIRCULAR) {
    v = wrap(v);
    if (SHIFT != 0.0) { v = wrap(v + SHIFT); }
  }
  let heights_at = at + select(BINS, 0u, SPLINE == LINEAR) * stride;
  var widths = Spread(zero, vec4<f32>(f32(BINS)));
  if (SPLINE != LINEAR) { widths = spread(at, stride); }
  var heights = widths;
  var area = Area(vec4<f32>(1.0), zero);
  if (SPLINE == QUADRATIC) { area = quadratic_area(at, heights_at, stride, widths); } else { heights = spread(heights_at, stride); }

  // As move_spline finds it.
  var bin = vec4<u32>(0u);
  var x0 = vec4<f32>(LOW); var x1 = x0; var y0 = vec4<f32>(BOTTOM); var y1 = y0;
  var w = zero; var h = zero; var x_before = zero; var y_before = zero;
  var x_sum = zero; var y_sum = zero;
  var x_left = x0; var y_left = y0;
  for (var k = 0u; k < BINS; k++) {
    var w_part = vec4<f32>(1.0);
    if (SPLINE != LINEAR) { w_part = accurate_exp(logit(at + k * stride) - widths.largest); }
    var h_part = zero;
    if (SPLINE != QUADRATIC) { h_part = accurate_exp(logit(heights_at + k * stride) - heights.largest); }
    let x_right = knot(LOW, HIGH, fraction(MIN_WIDTH, f32(k + 1u), x_sum + w_part, widths.sum), k + 1u == BINS);
    let y_right = knot(BOTTOM, TOP, fraction(MIN_HEIGHT, f32(k + 1u), y_sum + h_part, heights.sum), k + 1u == BINS);
    let here = vec4<bool>(k == 0u) | ((x_left <= v) & (x_left < x_right));
    bin = select(bin, vec4<u32>(k), here);
    x0 = select(x0, x_left, here); x1 = select(x1, x_right, here);
    y0 = select(y0, y_left, here); y1 = select(y1, y_right, here);
    w = select(w, w_part, here); h = select(h, h_part, here);
    x_before = select(x_before, x_sum, here); y_before = select(y_before, y_sum, here);
    x_sum += w_part; y_sum += h_part;
    x_left = x_right; y_left = y_right;
  }
  let width = x1 - x0;
  var height = y1 - y0;
  let theta = (v - x0) / width;
  let phi = (x1 - v) / width;
  let w_fraction = fraction(MIN_WIDTH, 1.0, w, widths.sum);
  let h_fraction = fraction(MIN_HEIGHT, 1.0, h, heights.sum);
  let aspect = (TOP - BOTTOM) / (HIGH - LOW);
  var s = aspect * h_fraction / w_fraction;
  var g = theta;
  var steep = vec4<f32>(1.0); // dg/dtheta
  var bend = zero;            // dl/dtheta
  var a0 = zero; var a1 = zero;
  var g0 = zero; var g1 = zero; // dg/da
  var l0 = zero; var l1 = zero; // dl/da
  if (SPLINE == RATIONAL_QUADRATIC) {
    a0 = knot_derivative(heights_at + BINS * stride, stride, bin) / s;
    a1 = knot_derivative(heights_at + BINS * stride, stride, bin + 1u) / s;
    let t = theta * phi;
    let q = theta * theta + phi * phi + (a0 + a1) * t;
    let n = a1 * theta * theta + 2.0 * t + a0 * phi * phi;
    g = theta * (theta + a0 * phi) / q;
    steep = n / q / q;
    bend = 2.0 * (a1 * theta + (phi - theta) - a0 * phi) / n - 2.0 * (phi - theta) * (a0 + a1 - 2.0) / q;
    g0 = t * (phi * phi + a1 * t) / q / q;
    g1 = -t * theta * (theta + a0 * phi) / q / q;
    l0 = phi * phi / n - 2.0 * t / q;
    l1 = theta * theta / n - 2.0 * t / q;
  }
  if (SPLINE == CUBIC) {
    a0 = cubic_derivative(at, heights_at, stride, bin, 0u, w_fraction, h_fraction, widths, heights).a;
    a1 = cubic_derivative(at, heights_at, stride, bin, 1u, w_fraction, h_fraction, widths, heights).a;
    let t = theta * phi;
    g = theta * (a0 * phi * phi + theta * ((3.0 - a1) * phi + theta));
    steep = a0 * phi * phi + 2.0 * (3.0 - a0 - a1) * t + a1 * theta * theta;
    bend = 2.0 * ((3.0 - a0 - a1) * (phi - theta) + a1 * theta - a0 * phi) / steep;
    g0 = t * phi;
    g1 = -t * theta;
    l0 = (phi * phi - 2.0 * t) / steep;
    l1 = (theta * theta - 2.0 * t) / steep;
  }
  var p0 = zero; var p1 = zero; // densities of a quadratic spline at the knots of the bin
  if (SPLINE == QUADRATIC) {
    for (var k = 0u; k <= BINS; k++) {
      let density = MIN_HEIGHT + (1.0 - MIN_HEIGHT) * (knot_density(heights_at, stride, k, area.edge) / area.area);
      p0 = select(p0, density, bin == vec4<u32>(k));
      p1 = select(p1, density, bin + 1u == vec4<u32>(k));
    }
    let mean = 0.5 * (p0 + p1);
    height = (TOP - BOTTOM) * w_fraction * mean;
    s = aspect * mean;
    steep = (p0 * phi + p1 * theta) / mean;
    bend = (p1 - p0) / (p0 * phi + p1 * theta);
  }

  let outside = (v < vec4<f32>(LOW)) | (v > vec4<f32>(HIGH));
  var d_y = given;
  var d_l = d_log;
  var moved = zero;
  if (UNDO) {
    moved = (given - d_log * bend / width) / (s * steep);
    d_y = -moved;
    d_l = -d_log;
  }
  d_y = select(d_y, zero, outside);
  d_l = select(d_l, zero, outside);
  let by_theta = d_y * height * steep + d_l * bend;
  let by_a0 = d_y * height * g0 + d_l * l0;
  let by_a1 = d_y * height * g1 + d_l * l1;
  var by_s = d_l / s;
  if (SPLINE == RATIONAL_QUADRATIC) { by_s -= (a0 * by_a0 + a1 * by_a1) / s; }
  if (!UNDO) { moved = by_theta / width; }
  // Beyond the box: the identity, or with TAILS_NONE a constant.
  d_source[place] = select(moved, select(zero, given, vec4<bool>(TAILS == TAILS_LINEAR)), outside);

  if (SPLINE == QUADRATIC) {
    let by_p0 = d_y * height * theta * (1.0 + phi) / (p0 + p1) + d_l * phi / (p0 * phi + p1 * theta);
    let by_p1 = d_y * height * theta * theta / (p0 + p1) + d_l * theta / (p0 * phi + p1 * theta);
    let by_before = -by_theta / w_fraction;
    let by_own = 0.5 * d_y * (TOP - BOTTOM) * theta * (p0 * (1.0 + phi) + p1 * theta) - by_theta * theta / w_fraction;
    let scale = (1.0 - MIN_HEIGHT) / area.area;
    let half = 0.5 * d_y * (TOP - BOTTOM);
    // First the sums that every parameter needs, then the mean of the softmax, then what is written.
    var total = zero;
    var ends = zero;       // gradients by the densities at the ends of the box
    var ends_width = zero; // of the first and the last bin
    var by_area = zero;
    var by_edge = zero;
    var mean = zero;
    for (var round = 0u; round < 3u; round++) {
      if (round == 1u) {
        by_area = -scale * total / area.area;
        if (EDGES == EDGES_ONE) { by_edge = (scale * ends + 0.5 * by_area * ends_width) / (1.0 - 0.25 * ends_width); }
      }
      var w_before = zero;
      var share_before = zero; // of by_edge that the width before goes with
      var density = knot_density(heights_at, stride, 0u, area.edge);
      for (var k = 0u; k <= BINS; k++) {
        var part = zero;
        var w_here = zero;
        var after = zero;
        if (k < BINS) {
          part = accurate_exp(logit(at + k * stride) - widths.largest) / widths.sum;
          w_here = fraction(MIN_WIDTH, 1.0, part, vec4<f32>(1.0));
          after = knot_density(heights_at, stride, k + 1u, area.edge);
        }
        let at_end = k == 0u || k + 1u == BINS;
        let share = by_edge * select(0.5, 0.25, at_end);
        let here = bin == vec4<u32>(k);
        let below = vec4<u32>(k) < bin;
        let by_p = half * (select(zero, w_before, vec4<u32>(k) <= bin) + select(zero, w_here, below))
          + select(zero, by_p0, here) + select(zero, by_p1, bin + 1u == vec4<u32>(k));
        if (round == 0u) {
          total += by_p * density;
          if (k == 0u || k == BINS) { ends += by_p; }
          if (at_end) { ends_width += w_here; }
        } else {
          let both = density + after;
          let by_w = select(zero, 2.0 * half * (MIN_HEIGHT + 0.5 * scale * both) + by_before, below) + select(zero, by_own, here)
            + both * (0.5 * by_area + share);
          if (k < BINS && round == 1u) { mean += part * by_w; }
          if (k < BINS && round == 2u) {
            d_parameters[into + k * into_stride] = (1.0 - MIN_WIDTH * f32(BINS)) * part * (by_w - mean) * logit_slope(at + k * stride);
          }
          if (round == 2u && (EDGES != EDGES_ONE || (k > 0u && k < BINS))) {
            let own = BINS + k - select(0u, 1u, EDGES == EDGES_ONE);
            let by_density = scale * by_p + 0.5 * by_area * (w_before + w_here) + share_before * w_before + share * w_here;
            d_parameters[into + own * into_stride] = by_density * accurate_sigmoid(parameter(at + own * stride));
          }
        }
        w_before = w_here;
        share_before = share;
        density = after;
      }
    }
    return;
  }

  let by_x0 = (by_s * s - phi * by_theta) / width;
  var by_x1 = (-by_s * s - theta * by_theta) / width;
  let by_y0 = d_y * (1.0 - g) - by_s / width;
  var by_y1 = d_y * g + by_s / width;
  let x_below = by_x0 + by_x1;
  let y_below = by_y0 + by_y1;
  let x_scale = (HIGH - LOW) * (1.0 - MIN_WIDTH * f32(BINS));
  let y_scale = (TOP - BOTTOM) * (1.0 - MIN_HEIGHT * f32(BINS));
  let heights_into = into + select(BINS, 0u, SPLINE == LINEAR) * into_stride;
  // What the bins beside this one get, and their shares of the softmax.
  var x_beside: array<vec4<f32>, 2>;
  var y_beside: array<vec4<f32>, 2>;
  var x_mean = zero;
  var y_mean = zero;
  if (SPLINE == CUBIC) {
    for (var side = 0u; side < 2u; side++) {
      let there = cubic_derivative(at, heights_at, stride, bin, side, w_fraction, h_fraction, widths, heights);
      let by_a = select(by_a0, by_a1, side == 1u);
      let by_inner = select(by_a, zero, there.at_end);
      let by_ratio = by_inner * there.by_ratio * there.ratio;
      by_x1 += (by_inner * there.by_w + by_ratio / w_fraction) / (HIGH - LOW);
      by_y1 -= by_ratio / h_fraction / (TOP - BOTTOM);
      x_beside[side] = (by_inner * there.by_w_next - by_ratio / there.w_next) / (HIGH - LOW);
      y_beside[side] = by_ratio / there.h_next / (TOP - BOTTOM);
      x_mean += x_beside[side] * there.w_part;
      y_mean += y_beside[side] * there.h_part;
      let bounded = accurate_sigmoid(parameter(at + (2u * BINS + side) * stride));
      d_parameters[into + (2u * BINS + side) * into_stride] = select(zero, by_a * 3.0 * bounded * (1.0 - bounded), there.at_end);
    }
  }
  x_mean += x_below * (x_before / widths.sum) + by_x1 * (w / widths.sum);
  y_mean += y_below * (y_before / heights.sum) + by_y1 * (h / heights.sum);
  for (var k = 0u; k < BINS; k++) {
    let here = bin == vec4<u32>(k);
    let below = vec4<u32>(k) < bin;
    var by_w = select(select(zero, by_x1, here), x_below, below);
    var by_h = select(select(zero, by_y1, here), y_below, below);
    if (SPLINE == CUBIC) {
      let left = bin == vec4<u32>(k + 1u);
      let right = bin + 1u == vec4<u32>(k);
      by_w += select(zero, x_beside[0], left) + select(zero, x_beside[1], right);
      by_h += select(zero, y_beside[0], left) + select(zero, y_beside[1], right);
    }
    if (SPLINE != LINEAR) {
      let part = accurate_exp(logit(at + k * stride) - widths.largest) / widths.sum;
      d_parameters[into + k * into_stride] = x_scale * part * (by_w - x_mean) * logit_slope(at + k * stride);
    }
    let part = accurate_exp(logit(heights_at + k * stride) - heights.largest) / heights.sum;
    d_parameters[heights_into + k * into_stride] = y_scale * part * (by_h - y_mean) * logit_slope(heights_at + k * stride);
  }
  if (SPLINE == RATIONAL_QUADRATIC) {
    var count = BINS - 1u;
    if (EDGES == EDGES_SHARED) { count = BINS; }
    if (EDGES == EDGES_FREE) { count = BINS + 1u; }
    let first = knot_parameter(bin);
    let second = knot_parameter(bin + 1u);
    for (var k = 0u; k < count; k++) {
      let u = parameter(heights_at + (BINS + k) * stride);
      var rise: vec4<f32>;
      if (SOFTCLIP > 0.0) {
        let bounded = 1.0 + abs(u / SOFTCLIP);
        rise = accurate_exp(u / bounded) / (bounded * bounded);
      } else {
        rise = accurate_sigmoid(u);
      }
      let by_d = select(zero, by_a0, first == vec4<u32>(k)) + select(zero, by_a1, second == vec4<u32>(k));
      d_parameters[heights_into + (BINS + k) * into_stride] = by_d / s * rise;
    }
  }
}
