// Sequential direction of an autoregressive flow whose net is a chain of layers with ReLUs, by blocks of inputs that invocations hold
// (lib/block-solve.wgsl); equation and paper are those of autoregressive-solve-mixture.wgsl.
//
// Shapes   source, result tiled [D, rows]; state tiled [nodes, rows]; weight, tasks: src/tuning/block-tasks.ts; log_det tiled [1, rows].
// Error    as there: sums are runs of 24 inputs, 48 at a time (tests/cases/block-solve.ts).
// Paper    as there.

enable subgroups;

#import "lib/solve-mixture.wgsl"
#import "lib/block-solve.wgsl"

@compute @workgroup_size(4)
fn block_solve_mixture(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>, @builtin(subgroup_invocation_id) id: u32) {
  if (wg.x * TILE >= rows()) { return; }
  solve(wg.x * TILE4 + lane.x, id % 4u);
}
