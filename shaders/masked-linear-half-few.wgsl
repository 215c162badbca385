// masked-linear-few.wgsl, which has equation, error and paper, with weights in float16.
//
// Shapes   as there; weight u32, two float16 each, the first in the low half.

#import "lib/weights-half.wgsl"
#import "lib/linear-few.wgsl"

@compute @workgroup_size(64)
fn masked_linear_half_few(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>) {
  multiply_few(wg, lane);
}
