// Sequential direction of an affine autoregressive flow: sampling of MAF, density of IAF. One network pass in all.
//
//   for i in order:  value[i] = transform(source[i]; net(value[earlier]))        log_det[row] += sum of log|d value / d source|
//
// Shapes   source, result tiled [D, rows]; state tiled [nodes, rows]; weight, bias, tasks: src/flows/conditioner/solve-plan.ts; side tiled
//          [side_features, rows]; log_det tiled [1, rows].
// Error    that of the parallel pass, carried along the recursion: 4 x PyTorch's float32 on the golden cases (tests/golden); 2e-5
//          relative to max(1, |value|), state included, on random nets (tests/cases/autoregressive-solve-affine.ts).
// Paper    Papamakarios et al. 2017, arXiv:1705.07057; Kingma et al. 2016, arXiv:1606.04934; each unit once, as NADE does for one
//          hidden layer: Larochelle and Murray 2011.

#import "lib/solve-affine.wgsl"
#import "lib/weights.wgsl"
#import "lib/strip.wgsl"
#import "lib/autoregressive-solve.wgsl"

@compute @workgroup_size(4)
fn autoregressive_solve_affine(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>) {
  let group = wg.x * TILE4 + lane.x;
  if (group * 4u >= rows()) { return; }
  solve(group);
}
