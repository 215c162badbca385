// What a sequential solve with a spline does to a feature; the importing file binds `state`, which has its parameters.

#import "lib/spline.wgsl"

fn parameter(at: u32) -> vec4<f32> { return state[at]; }

fn transform(x: vec4<f32>, parameters_at: u32, stride: u32) -> Moved { return move_spline(x, parameters_at, stride); }
