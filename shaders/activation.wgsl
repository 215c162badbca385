// Activation and its derivative, feature by feature: what a tangent that passes the activation is multiplied with.
//
//   value[f] = act(source[f])        slope[f] = act'(source[f])
//
// Formulas in lib/slope.wgsl and lib/activation.wgsl; beta is that of lipswish, read by it alone.
//
// Shapes      source, value, slope tiled [features, rows]; beta f32 [1].
// Error       5e-7 relative to max(1, |value|) (tests/cases/activation.ts).
// Derivative  d source = act'(source) d value + act''(source) d slope; activation-backward.wgsl.
// Paper       Griewank and Walther 2008, Evaluating Derivatives, chapter 3 (forward mode).

#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/slope.wgsl"

struct Params {
  features: u32,
}

override ACTIVATION: u32 = 0u;
override HAS_VALUE: bool = true;
override HAS_SLOPE: bool = true;

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> value: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> slope: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> beta: array<f32>;

@compute @workgroup_size(16, 4)
fn activation(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.y;
  if (id.x * 4u >= rows() || f >= params.features) { return; }
  let at = tiled(params.features, id.x) + f * TILE4;
  let v = source[at];
  var b = 1.0;
  if (ACTIVATION == ACT_LIPSWISH) { b = beta[0]; }
  if (HAS_VALUE) { value[at] = activate_with(ACTIVATION, v, b); }
  if (HAS_SLOPE) { slope[at] = slope_of(ACTIVATION, v, b); }
}
