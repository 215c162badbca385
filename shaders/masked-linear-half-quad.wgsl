// masked-linear-quad.wgsl, which has equation, error and paper, with weights in float16.
//
// Shapes   as there; weight u32, two float16 each, the first in the low half.

enable subgroups;

#import "lib/weights-half.wgsl"
#import "lib/masked-linear.wgsl"
#import "lib/layer-weights.wgsl"
#import "lib/linear-quad.wgsl"
#import "lib/quad-outputs.wgsl"

@compute @workgroup_size(4)
fn masked_linear_half_quad(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>, @builtin(subgroup_invocation_id) id: u32) {
  multiply_quad(wg, lane, id % 4u);
}
