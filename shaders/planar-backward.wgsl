// Vector–Jacobian product of a planar layer (planar.wgsl) whose parameters are a set a row.
//
// With a = w·z + b, t = h(a), g = 1 + c h'(a), n = |w|², τ = w·u, c = softplus(τ) − 1, û = u + k w, k = (c − τ) / n, S the gradient by the
// output and ℓ that by l = log g (minus that by the log-det with UNDO), q = ℓ c h''(a) / g:
//
//   x = f(z)    A = h'(a) û·S + q              X = S
//   UNDO        A = (q − h'(a) û·S) / g        X = −(S + A w)        the gradient through the solved equation: J⁻ᵀ (S + ℓ ∂l/∂z)
//   both        d input = S + A w              d b = A
//               d u = t X + B w                d w = A z + t k X + B u − 2 t k (w·X) / n w
//               B = ℓ h'(a) / g sigmoid(τ) − t (w·X) sigmoid(−τ) / n
//
// Where w = 0 the layer is a shift, and û = u: what divides by n is left out.
//
// Shapes      z, the input or with UNDO the output, d_y, d_x tiled [D, rows]; d_log_det tiled [1, rows]; parameters, d_parameters tiled
//             [2 D + 1, rows]: b, u, w.
// Error       2e-5 relative to max(1, |value|) for parameters of unit size, 1e-4 with UNDO (tests/cases/planar-backward.ts).
// Paper       Rezende and Mohamed 2015, arXiv:1505.05770, section 4.1; û from appendix A.1.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/tanh-solve.wgsl"

struct Params {
  features: u32,
  negative_slope: f32, // LEAKY
}

override LEAKY: bool = false;
override UNDO: bool = false;
override HAS_Y: bool = true; // the loss depends on the output
override HAS_LOG_DET: bool = true; // and on the log-det

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> z: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> parameters: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> d_y: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> d_log_det: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> d_x: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> d_parameters: array<vec4<f32>>;

fn seed(at: u32) -> vec4<f32> {
  if (HAS_Y) { return d_y[at]; }
  return vec4<f32>(0.0);
}

@compute @workgroup_size(64)
fn planar_backward(@builtin(global_invocation_id) id: vec3<u32>) {
  let group = id.x;
  if (group * 4u >= rows()) { return; }
  let features = params.features;
  let zero = vec4<f32>(0.0);
  let base = tiled(features, group);
  let b_at = tiled(2u * features + 1u, group);
  let u_at = b_at + TILE4;
  let w_at = u_at + features * TILE4;
  // Sums in runs of 8 features, then over the runs.
  var w_z = zero; var w_u = zero; var w_w = zero; var w_s = zero; var u_s = zero;
  for (var start = 0u; start < features; start += 8u) {
    var part_z = zero; var part_u = zero; var part_w = zero; var part_s = zero; var part_us = zero;
    for (var f = start; f < min(start + 8u, features); f++) {
      let w = parameters[w_at + f * TILE4];
      let u = parameters[u_at + f * TILE4];
      let s = seed(base + f * TILE4);
      part_z = fma(w, z[base + f * TILE4], part_z);
      part_u = fma(w, u, part_u);
      part_w = fma(w, w, part_w);
      part_s = fma(w, s, part_s);
      part_us = fma(u, s, part_us);
    }
    w_z += part_z; w_u += part_u; w_w += part_w; w_s += part_s; u_s += part_us;
  }
  let shifts = w_w == zero;
  let s = select(accurate_softplus(w_u), vec4<f32>(1.0), shifts);
  let c = s - 1.0;
  let over = select(1.0 / w_w, zero, shifts);
  let k = (c - w_u) * over;
  let a = w_z + parameters[b_at];
  var t: vec4<f32>;
  var slope: vec4<f32>;
  var bend = zero; // h''(a)
  var whole: vec4<f32>;
  if (LEAKY) {
    slope = select(vec4<f32>(1.0), vec4<f32>(params.negative_slope), a < zero);
    t = slope * a;
    whole = (1.0 - slope) + slope * s;
  } else {
    t = accurate_tanh(a);
    slope = tanh_slope(a);
    bend = -2.0 * t * slope;
    whole = t * t + slope * s;
  }
  var by_l = zero;
  if (HAS_LOG_DET) { by_l = d_log_det[group]; }
  if (UNDO) { by_l = -by_l; }
  let q = by_l * c * bend / whole;
  let along = slope * (u_s + k * w_s);
  var by_a = q + along;
  var sign = 1.0;
  var w_x = w_s;
  if (UNDO) {
    by_a = (q - along) / whole;
    sign = -1.0;
    w_x = -(w_s + by_a * w_w);
  }
  let turn = t * w_x * over;
  let by_dot = select(by_l * slope / whole * accurate_sigmoid(w_u), zero, shifts) - turn * accurate_sigmoid(-w_u);
  let shrink = 2.0 * turn * k;
  d_parameters[b_at] = by_a;
  for (var f = 0u; f < features; f++) {
    let at = base + f * TILE4;
    let u = parameters[u_at + f * TILE4];
    let w = parameters[w_at + f * TILE4];
    let given = seed(at);
    let moved = fma(by_a, w, given);
    let x = sign * select(given, moved, vec4<bool>(UNDO));
    d_x[at] = moved;
    d_parameters[u_at + f * TILE4] = t * x + by_dot * w;
    d_parameters[w_at + f * TILE4] = by_a * z[at] + t * k * x + by_dot * u - shrink * w;
  }
}
