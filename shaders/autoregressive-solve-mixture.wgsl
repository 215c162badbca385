// Sequential direction of an autoregressive flow whose transformer is a mixture of Gaussians: sampling of MADE MoG. One network pass in all,
// and for each feature some evaluations of its mixture.
//
//   for i in order:  x[i] with Phi^-1(F(x[i]; net(x[earlier]))) = source[i]        log_det[row] += sum of log dx[i]/dz[i]
//
// Shapes   as autoregressive-solve-affine; 3 COMPONENTS parameters a feature, left in state as log pi, mu, 1 / sigma.
// Error    1e-4 relative to max(1, |x|), state included, on random nets (tests/cases/autoregressive-solve-mixture.ts).
// Derivative   as autoregressive-solve-affine: reverse the tasks; each feature by the inverse's rule in mixture.wgsl.
// Paper    Papamakarios et al. 2017, arXiv:1705.07057, section 4.1.

#import "lib/solve-mixture.wgsl"
#import "lib/weights.wgsl"
#import "lib/strip.wgsl"
#import "lib/autoregressive-solve.wgsl"

@compute @workgroup_size(4)
fn autoregressive_solve_mixture(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>) {
  let group = wg.x * TILE4 + lane.x;
  if (group * 4u >= rows()) { return; }
  solve(group);
}
