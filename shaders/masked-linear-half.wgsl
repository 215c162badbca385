// masked-linear.wgsl, which has equation, error and paper, with weights in float16.
//
// Shapes   as there; weight u32, two float16 each, the first in the low half.

#import "lib/weights-half.wgsl"
#import "lib/linear-strip.wgsl"

@compute @workgroup_size(8, 4)
fn masked_linear_half(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>) {
  multiply_strip(wg, lane);
}
