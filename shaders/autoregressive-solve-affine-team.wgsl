// A variant of autoregressive-solve-affine.wgsl, where equation, shapes and paper are: a workgroup for a tile of 64 rows (lib/solve-by-team.wgsl).
//
// Shapes   as in autoregressive-solve-affine.wgsl.
// Error    as there (tests/cases/autoregressive-solve-affine.ts). Sums run over inputs in order, in runs of 24.
// Paper    as there.

#import "lib/solve-affine.wgsl"
#import "lib/weights.wgsl"
#import "lib/solve-by-team.wgsl"

@compute @workgroup_size(16, 8)
fn autoregressive_solve_affine_team(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>) {
  solve_by_team(wg.x * TILE4 + lane.x, lane.y);
}
