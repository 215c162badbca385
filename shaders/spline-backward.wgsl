// Vector-Jacobian product of the rational-quadratic and the linear spline (spline.wgsl), all features at once.
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
// UNDO: the source is y, and `x` holds the output. With d x, d M of M = -L: d y = (d x - d M dL/dx) / (dy/dx), and the parameters get what
// the forward direction gives for the adjoints -d y and -d M.
//
// Shapes      x, d_value, d_source tiled [features, rows]; parameters tiled [P SLOTS, rows] or f32 [P SLOTS, 4] with SHARED; slot u32 [features];
//             d_log_terms tiled [SLOTS, rows]; d_parameters tiled [P SLOTS, rows].
// Error       1e-3 relative to max(1, |value|) on parameters of deviation 1/2 (tests/cases/spline-backward.ts): a bin's width divides.
// Paper       Durkan et al. 2019, arXiv:1906.04032.

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
  let heights = spread(heights_at, stride);

  // As move_spline finds it.
  var bin = vec4<u32>(0u);
  var x0 = vec4<f32>(LOW); var x1 = x0; var y0 = vec4<f32>(BOTTOM); var y1 = y0;
  var w = zero; var h = zero; var x_before = zero; var y_before = zero;
  var x_sum = zero; var y_sum = zero;
  var x_left = x0; var y_left = y0;
  for (var k = 0u; k < BINS; k++) {
    var w_part = vec4<f32>(1.0);
    if (SPLINE != LINEAR) { w_part = accurate_exp(logit(at + k * stride) - widths.largest); }
    let h_part = accurate_exp(logit(heights_at + k * stride) - heights.largest);
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
  let height = y1 - y0;
  let theta = (v - x0) / width;
  let phi = (x1 - v) / width;
  let w_fraction = fraction(MIN_WIDTH, 1.0, w, widths.sum);
  let h_fraction = fraction(MIN_HEIGHT, 1.0, h, heights.sum);
  let s = ((TOP - BOTTOM) / (HIGH - LOW)) * h_fraction / w_fraction;
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
  let by_s = (d_l - a0 * by_a0 - a1 * by_a1) / s;
  if (!UNDO) { moved = by_theta / width; }
  // Beyond the box: the identity, or with TAILS_NONE a constant.
  d_source[place] = select(moved, select(zero, given, vec4<bool>(TAILS == TAILS_LINEAR)), outside);

  let by_x0 = (by_s * s - phi * by_theta) / width;
  let by_x1 = (-by_s * s - theta * by_theta) / width;
  let by_y0 = d_y * (1.0 - g) - by_s / width;
  let by_y1 = d_y * g + by_s / width;
  let x_mean = (by_x0 + by_x1) * (x_before / widths.sum) + by_x1 * (w / widths.sum);
  let y_mean = (by_y0 + by_y1) * (y_before / heights.sum) + by_y1 * (h / heights.sum);
  let x_scale = (HIGH - LOW) * (1.0 - MIN_WIDTH * f32(BINS));
  let y_scale = (TOP - BOTTOM) * (1.0 - MIN_HEIGHT * f32(BINS));
  let heights_into = into + select(BINS, 0u, SPLINE == LINEAR) * into_stride;
  for (var k = 0u; k < BINS; k++) {
    let here = bin == vec4<u32>(k);
    let below = vec4<u32>(k) < bin;
    if (SPLINE != LINEAR) {
      let part = accurate_exp(logit(at + k * stride) - widths.largest) / widths.sum;
      let by_fraction = select(select(zero, by_x1, here), by_x0 + by_x1, below);
      d_parameters[into + k * into_stride] = x_scale * part * (by_fraction - x_mean) * logit_slope(at + k * stride);
    }
    let part = accurate_exp(logit(heights_at + k * stride) - heights.largest) / heights.sum;
    let by_fraction = select(select(zero, by_y1, here), by_y0 + by_y1, below);
    d_parameters[heights_into + k * into_stride] = y_scale * part * (by_fraction - y_mean) * logit_slope(heights_at + k * stride);
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
