// masked-linear-matrix.wgsl, which has equation, error and paper, with weights in float16.
//
// Shapes   as there; weight u32, two float16 each, the first in the low half.

#import "lib/weights-half.wgsl"
#import "lib/linear-matrix.wgsl"

@compute @workgroup_size(4, 8)
fn masked_linear_half_matrix(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>) {
  multiply_matrix(wg, lane);
}
