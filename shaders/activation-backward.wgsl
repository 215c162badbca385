// Vector-Jacobian product of an activation and its slope (activation.wgsl), v = source.
//
//   d_source[f] (+)= act'(v) d_value[f] + act''(v) d_slope[f]
//                       with FROM_VALUE v is not there, and source holds act(v), from which the slope follows; no act'' then
//   d_beta[f] = (d act / d beta) d_value[f] + (d act' / d beta) d_slope[f]          HAS_BETA, lipswish: u = beta v, s = sigmoid(u)
//
//   tanh -2 t (1 - t^2), t = tanh v     sigmoid s (1 - s) (1 - 2 s)     elu e^v below 0     silu s (1 - s) (2 + v (1 - 2 s))
//   softplus s (1 - s)     lipswish beta k, k = s (1 - s) (2 + u (1 - 2 s)) / 1.1     relu, leaky_relu 0: what act'' is between kinks
//   d act / d beta = v^2 s (1 - s) / 1.1     d act' / d beta = v k
//
// 1 - 2 s = -tanh(u / 2), which does not cancel.
//
// Shapes      all tiled [features, rows] but beta, f32 [1].
// Error       1e-6 relative to max(1, |value|) (tests/cases/activation-backward.ts).
// Derivative  none: third derivatives have no use here.
// Paper       Griewank and Walther 2008, Evaluating Derivatives, chapter 3.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/slope.wgsl"
#import "lib/value-slope-backward.wgsl"

struct Params {
  features: u32,
}

override ACTIVATION: u32 = 0u;
override HAS_VALUE: bool = true;
override HAS_SLOPE: bool = false;
override HAS_BETA: bool = false;
override ADD: bool = false;
override FROM_VALUE: bool = false;

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> beta: array<f32>;
@group(0) @binding(4) var<storage, read> d_value: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> d_slope: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> d_source: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> d_beta: array<vec4<f32>>;

/// Second derivative of silu.
fn silu_curvature(u: vec4<f32>) -> vec4<f32> { return bell(u) * (2.0 - u * accurate_tanh(0.5 * u)); }

/// act'': NaN where v is.
fn curvature_of(v: vec4<f32>, b: f32) -> vec4<f32> {
  var curvature = vec4<f32>(0.0);
  switch ACTIVATION {
    case ACT_TANH: { curvature = -8.0 * accurate_tanh(v) * bell(2.0 * v); }
    case ACT_SIGMOID: { curvature = -accurate_tanh(0.5 * v) * bell(v); }
    case ACT_ELU: { curvature = select(curvature, accurate_exp(v), v < vec4<f32>(0.0)); }
    case ACT_SILU: { curvature = silu_curvature(v); }
    case ACT_SOFTPLUS: { curvature = bell(v); }
    case ACT_LIPSWISH: { curvature = b * silu_curvature(b * v) / 1.1; }
    default: {}
  }
  return select(curvature, v, is_nan4(v));
}

@compute @workgroup_size(16, 4)
fn activation_backward(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.y;
  if (id.x * 4u >= rows() || f >= params.features) { return; }
  let at = tiled(params.features, id.x) + f * TILE4;
  let v = source[at];
  var b = 1.0;
  if (ACTIVATION == ACT_LIPSWISH) { b = beta[0]; }
  var gradient = vec4<f32>(0.0);
  if (FROM_VALUE) {
    gradient = slope_from_value(ACTIVATION, v) * d_value[at];
  } else if (HAS_VALUE) {
    gradient = slope_of(ACTIVATION, v, b) * d_value[at];
  }
  if (HAS_SLOPE) { gradient += curvature_of(v, b) * d_slope[at]; }
  if (ADD) { d_source[at] += gradient; } else { d_source[at] = gradient; }
  if (HAS_BETA) {
    var by_beta = vec4<f32>(0.0);
    if (HAS_VALUE) { by_beta += v * v * bell(b * v) * d_value[at]; }
    if (HAS_SLOPE) { by_beta += v * silu_curvature(b * v) * d_slope[at]; }
    d_beta[at] = by_beta / 1.1;
  }
}
