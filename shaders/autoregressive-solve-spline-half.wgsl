// autoregressive-solve-spline.wgsl, which has equation, error and paper, with weights in float16.
//
// Shapes   as there; weight u32, two float16 each, the first in the low half.

#import "lib/solve-spline.wgsl"
#import "lib/weights-half.wgsl"
#import "lib/strip.wgsl"
#import "lib/autoregressive-solve.wgsl"

@compute @workgroup_size(4)
fn autoregressive_solve_spline_half(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>) {
  let group = wg.x * TILE4 + lane.x;
  if (group * 4u >= rows()) { return; }
  solve(group);
}
