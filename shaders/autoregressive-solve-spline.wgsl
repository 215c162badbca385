// Sequential direction of an autoregressive spline flow. One network pass in all.
//
//   for i in order:  value[i] = spline^-1(source[i]; net(value[earlier]))        log_det[row] += sum of log|d value / d source|
//
// Shapes      as in autoregressive-solve-affine.wgsl; the P parameters of a feature lie one `stride` apart (lib/spline.wgsl).
// Error       that of the parallel pass, carried along the recursion: 4 x PyTorch's float32 on the golden cases (tests/golden); 2e-4 relative to
//             max(1, |value|), state included, on random nets (tests/cases/autoregressive-solve-spline.ts).
// Derivative  That of spline.wgsl at the solution, with the network's own: adjoints go through the features in reverse order.
// Paper       Durkan et al. 2019, arXiv:1906.04032; the solve: autoregressive-solve-affine.wgsl.

#import "lib/solve-spline.wgsl"
#import "lib/weights.wgsl"
#import "lib/strip.wgsl"
#import "lib/autoregressive-solve.wgsl"

@compute @workgroup_size(4)
fn autoregressive_solve_spline(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>) {
  let group = wg.x * TILE4 + lane.x;
  if (group * 4u >= rows()) { return; }
  solve(group);
}
