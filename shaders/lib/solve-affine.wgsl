// What a sequential solve with an affine transformer does to a feature; the importing file binds `state`, which has its parameters.

#import "lib/affine.wgsl"

/// Parameters of a feature: the shift at `parameters_at`, the unconstrained scale one `stride` further.
fn transform(x: vec4<f32>, parameters_at: u32, stride: u32) -> Moved {
  var u = vec4<f32>(0.0);
  if (SCALE != SCALE_NONE) { u = state[parameters_at + stride]; }
  return move_affine(x, state[parameters_at], u);
}
