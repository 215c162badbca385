// A variant of autoregressive-solve-spline.wgsl, where equation, shapes and paper are: weights shared by the four invocations of a quad (lib/strip-quad.wgsl).
//
// Shapes   as in autoregressive-solve-spline.wgsl.
// Error    as there, and its bits: the order of sums is the same (tests/cases/autoregressive-solve-spline.ts).
// Paper    as there.

enable subgroups;

#import "lib/solve-spline.wgsl"
#import "lib/weights-scalar.wgsl"
#import "lib/strip-quad.wgsl"
#import "lib/autoregressive-solve.wgsl"

@compute @workgroup_size(4)
fn autoregressive_solve_spline_quad(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>, @builtin(subgroup_invocation_id) id: u32) {
  if (wg.x * TILE >= rows()) { return; }
  own = id % 4u;
  solve(wg.x * TILE4 + lane.x);
}
