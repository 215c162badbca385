// A variant of masked-linear.wgsl, where the equation is: 16 outputs of 16 rows an invocation, four inputs at a time as products of 4 × 4 matrices.
//
// Per four inputs it loads 16 vec4 of x and 16 of the weights for 256 vec4 multiply-adds. Four inputs are summed from zero, in order, and added to a run
// of 64; runs are added in order, then up to three inputs one by one. Both strips of 8 outputs read the union of their ranges. A sum is loaded and
// stored once in four multiply-adds, which is what SwiftShader needs; llvmpipe is slower with it (docs/kernels.md).
//
// Shapes   as masked-linear.wgsl.
// Error    (20 + inputs / 64) units in the last place of sum |weight x| at most; 4 + inputs / 96 on random signs (tests/cases/masked-linear.ts).
// Paper    as masked-linear.wgsl.

#import "lib/weights.wgsl"
#import "lib/linear-matrix.wgsl"

@compute @workgroup_size(4, 8)
fn masked_linear_matrix(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>) {
  multiply_matrix(wg, lane);
}
