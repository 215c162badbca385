// Planar flow: one hidden unit, with the contraction of u that keeps it invertible.
//
//   x = z + û h(w·z + b)        log|det dx/dz| = log(1 + c h'(w·z + b))
//   û = u + (c − w·u) w / |w|²,  c = w·û = softplus(w·u) − 1 > −1;  û = u and c = 0 where w = 0
//
// h is tanh, or leaky ReLU with a slope of 0 to 1. UNDO solves for v = w·z + b: v + c h(v) = w·x + b, by lib/tanh-solve.wgsl or in closed
// form, and z = x − û h(v). The sum 1 + c h' is taken as h(v)² + s h'(v) for tanh, s = 1 + c, so that nothing cancels.
//
// Shapes      x, y tiled [D, rows]; parameters: a network's outputs (PER_ROW), b, u [D], w [D], or a table of those and of k = (c − w·u) / |w|²,
//             c, s, each with the remainder of its rounding; log_det tiled [1, rows], nats, added to.
// Error       2e-6 relative to max(1, |y|) for parameters of unit size, 1e-5 where UNDO magnifies its input by up to 20 (tests/cases/planar.ts).
// Derivative  seeds X of x and L of the log-det, a = w·z + b, m = L h'(a) / (1 + c h'(a)): A = h'(a) û·X + L c h''(a) / (1 + c h'(a));
//             dz = X + A w, db = A, dw = A z + m û, dû = h(a) X + m w, then through û(u, w). UNDO, seeds Z and L: dx = J⁻ᵀ (Z − L ∂l/∂z) with
//             J⁻ᵀ Y = Y − w h' û·Y / (1 + c h') (Sherman and Morrison), and the parameters get what x = f(z) gives for X = −dx, −L.
//             Kernels: row sums of products, scale-tangents, elementwise.
// Paper       Rezende and Mohamed 2015, arXiv:1505.05770, section 4.1; û from appendix A.1.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/row-parameters.wgsl"
#import "lib/log-ratio.wgsl"
#import "lib/tanh-solve.wgsl"

struct Params {
  features: u32,
  parameter_features: u32,
  negative_slope: f32, // LEAKY
}

override LEAKY: bool = false;
override UNDO: bool = false;
override HAS_LOG_DET: bool = true;

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> parameters: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> log_det: array<vec4<f32>>;

@compute @workgroup_size(64)
fn planar(@builtin(global_invocation_id) id: vec3<u32>) {
  let group = id.x;
  if (group * 4u >= rows()) { return; }
  let features = params.features;
  let base = tiled(features, group);
  // Sums in runs of 8 features, then over the runs.
  var w_x = vec4<f32>(0.0);
  var w_u = vec4<f32>(0.0);
  var w_w = vec4<f32>(0.0);
  for (var start = 0u; start < features; start += 8u) {
    var part_x = vec4<f32>(0.0);
    var part_u = vec4<f32>(0.0);
    var part_w = vec4<f32>(0.0);
    let end = min(start + 8u, features);
    for (var f = start; f < end; f++) {
      let w = parameter(group, 1u + features + f);
      part_x = fma(w, x[base + f * TILE4], part_x);
      if (PER_ROW) {
        part_u = fma(w, parameter(group, 1u + f), part_u);
        part_w = fma(w, w, part_w);
      }
    }
    w_x += part_x;
    w_u += part_u;
    w_w += part_w;
  }
  var k: vec4<f32>;
  var k_rest = vec4<f32>(0.0);
  var c: vec4<f32>;
  var s: vec4<f32>;
  if (PER_ROW) {
    let shifts = w_w == vec4<f32>(0.0);
    s = select(accurate_softplus(w_u), vec4<f32>(1.0), shifts);
    c = s - 1.0;
    k = select((c - w_u) / w_w, vec4<f32>(0.0), shifts);
  } else {
    let derived = 1u + 2u * features;
    k = parameters[derived];
    k_rest = parameters[derived + 1u];
    c = parameters[derived + 2u] + parameters[derived + 3u];
    s = parameters[derived + 4u] + parameters[derived + 5u];
  }
  var v = w_x + parameter(group, 0u);
  var t: vec4<f32>;    // h(v)
  var gain: vec4<f32>; // c h'(v)
  var whole: vec4<f32>;
  if (LEAKY) {
    let negative = v < vec4<f32>(0.0); // w·x + b and v have one sign
    let slope = select(vec4<f32>(1.0), vec4<f32>(params.negative_slope), negative);
    whole = (1.0 - slope) + slope * s;
    if (UNDO) { v = v / whole; }
    t = slope * v;
    gain = slope * c;
  } else {
    if (UNDO) { v = solve_tanh(c, s, v); }
    t = accurate_tanh(v);
    let slope = tanh_slope(v);
    gain = slope * c;
    whole = t * t + slope * s;
  }
  let change = select(t, -t, vec4<bool>(UNDO));
  for (var f = 0u; f < features; f++) {
    let at = base + f * TILE4;
    let w = parameter(group, 1u + features + f);
    let u = fma(k, w, parameter(group, 1u + f)) + k_rest * w;
    y[at] = fma(u, change, x[at]);
  }
  if (HAS_LOG_DET) {
    let term = log_one_plus(gain, whole);
    log_det[group] += select(term, -term, vec4<bool>(UNDO));
  }
}
