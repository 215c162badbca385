// Activation and its derivative, feature by feature: what a tangent that passes the activation is multiplied with.
//
//   value[f] = act(source[f])        slope[f] = act'(source[f])
//
// Formulas in lib/slope.wgsl and lib/activation.wgsl.
//
// Shapes      source, value, slope tiled [features, rows].
// Error       5e-7 relative to max(1, |value|) (tests/cases/activation.ts).
// Derivative  d source = act'(source) d value + act''(source) d slope.
// Paper       Griewank and Walther 2008, Evaluating Derivatives, chapter 3 (forward mode).

#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/slope.wgsl"

struct Params {
  features: u32,
  beta: f32, // lipswish
}

override ACTIVATION: u32 = 0u;
override HAS_VALUE: bool = true;
override HAS_SLOPE: bool = true;

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> value: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> slope: array<vec4<f32>>;

@compute @workgroup_size(16, 4)
fn activation(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.y;
  if (id.x * 4u >= rows() || f >= params.features) { return; }
  let at = tiled(params.features, id.x) + f * TILE4;
  let v = source[at];
  if (HAS_VALUE) { value[at] = activate_with(ACTIVATION, v, params.beta); }
  if (HAS_SLOPE) { slope[at] = slope_of(ACTIVATION, v, params.beta); }
}
