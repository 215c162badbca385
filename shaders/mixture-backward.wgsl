// Vector–Jacobian product of the mixture-of-Gaussians transformer (mixture.wgsl), all features at once.
//
// With u[k] = (x − mu[k]) / sigma[k], h = phi(z), t = |z|, R Mills' ratio, w[k] = pi[k] phi(u[k]) / h, responsibilities r[k] = n[k] / p,
// n[k] = pi[k] phi(u[k]) / sigma[k], l = log dz/dx, gradients g by z and m by l, and G = g + m z:
//
//   d x = G dz/dx − m Σ r[k] u[k] / sigma[k]
//   d mu[k] = (m r[k] u[k] − G w[k]) / sigma[k]
//   d s[k] = (m r[k] (u[k]² − 1) − G w[k] u[k]) / sigma[k] sigmoid(s[k])
//   d logit[k] = G pi[k] (Phi(u[k]) − F) / h + m (r[k] − pi[k])
//
// F / h is R(t) where z < 0 and (1 − F) / h is R(t) elsewhere, so the difference is taken between tails of that side, each over h with its
// exponent first: nothing of it underflows. UNDO (INVERSE of the kernel), with gradients g of x and m of −l: d z = (g − m dl/dx) / (dz/dx), and
// the parameters get what the forward direction gives for −d z and −m.
//
// Shapes   x, d_value, d_source tiled [features, rows], `x` the end in x-space: input, or with INVERSE output; state as mixture.wgsl left it;
//          slot u32 [features]; d_log_terms tiled [SLOTS, rows]; d_state tiled [3 COMPONENTS SLOTS, rows], by what it held before.
// Error    2e-4 relative to max(1, |value|), 1e-3 with INVERSE, which divides by dz/dx; in the tails 2e-7 u² besides,
//          as u² / 2 is an exponent (tests/cases/mixture-backward.ts).
// Paper    Papamakarios et al. 2017, arXiv:1705.07057, section 4.1.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/mixture.wgsl"

const NONE = 0xffffffffu;
const SQRT_2PI = 2.5066283;

struct Params {
  features: u32,
  slots: u32,
}

override INVERSE: bool = false;
override HAS_Y: bool = true; // the loss depends on the value
override HAS_LOG_DET: bool = true; // and on the log-det terms

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> state: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> slot: array<u32>;
@group(0) @binding(5) var<storage, read> d_value: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> d_log_terms: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> d_source: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> d_state: array<vec4<f32>>;

@compute @workgroup_size(16, 4)
fn mixture_backward(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.y;
  if (id.x * 4u >= rows() || f >= params.features) { return; }
  let place = tiled(params.features, id.x) + f * TILE4;
  let zero = vec4<f32>(0.0);
  var given = zero;
  if (HAS_Y) { given = d_value[place]; }
  let j = slot[f];
  if (j == NONE) {
    d_source[place] = given;
    return;
  }
  var by_l = zero;
  if (HAS_LOG_DET) { by_l = d_log_terms[tiled(params.slots, id.x) + j * TILE4]; }
  let at = tiled(3u * COMPONENTS * params.slots, id.x) + j * TILE4;
  let stride = params.slots * TILE4;
  let v = x[place];
  let there = mixture_at(v, at, stride);

  var top = vec4<f32>(LEAST);
  for (var k = 0u; k < COMPONENTS; k++) {
    let u = deviation(v, at, stride, k);
    let value = state[at + k * stride] - 0.5 * u * u;
    top = select(top, value, value > top);
  }
  var density = zero;
  var pull = zero; // Σ n u / sigma, as density is Σ n
  for (var k = 0u; k < COMPONENTS; k++) {
    let inverse = state[at + (2u * COMPONENTS + k) * stride];
    let u = deviation(v, at, stride, k);
    let n = accurate_exp((state[at + k * stride] - 0.5 * u * u) - top) * inverse;
    density += n;
    pull = fma(n, u * inverse, pull);
  }
  pull = pull / density;
  var by_z = given + by_l * there.z;
  if (INVERSE) {
    let back = times_exp(given - by_l * (there.z * there.slope - pull), -there.log_slope);
    d_source[place] = back;
    by_l = -by_l;
    by_z = by_l * there.z - back;
  } else {
    d_source[place] = by_z * there.slope - by_l * pull;
  }

  let over_h = there.log_slope - accurate_log(density);
  let negative = there.z < zero;
  let whole = mills_ratio(abs(there.z));
  for (var k = 0u; k < COMPONENTS; k++) {
    let log_pi = state[at + k * stride];
    let inverse = state[at + (2u * COMPONENTS + k) * stride];
    let u = deviation(v, at, stride, k);
    let exponent = (log_pi - 0.5 * u * u) - top;
    let r = accurate_exp(exponent) * inverse / density;
    let w = accurate_exp(exponent + over_h);
    let outer = w * mills_ratio(abs(u));
    let inner = accurate_exp((log_pi - top) + over_h) * SQRT_2PI - outer;
    let tail = select(inner, outer, (u < zero) == negative);
    let pi = accurate_exp(log_pi);
    let rise = tail - pi * whole;
    // sigma = softplus(s) + EPS, and sigmoid(s) = 1 − e^−softplus(s)
    let soft = 1.0 / inverse - EPS;
    let gate = select(-accurate_expm1(-soft), zero, soft < zero);
    d_state[at + k * stride] = by_z * select(-rise, rise, negative) + by_l * (r - pi);
    d_state[at + (COMPONENTS + k) * stride] = (by_l * r * u - by_z * w) * inverse;
    d_state[at + (2u * COMPONENTS + k) * stride] = (by_l * r * (u * u - 1.0) - by_z * w * u) * inverse * gate;
  }
}
