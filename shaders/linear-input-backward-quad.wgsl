// A variant of linear-input-backward.wgsl, where the equation is, with weights shared by the four invocations of a quad, as in masked-linear-quad.wgsl.
//
// Shapes      as linear-input-backward.wgsl.
// Error       8 + inputs / 8 units in the last place of sum |W x| at most: runs of 8 inputs (tests/cases/linear-input-backward.ts). With runs of 24, as forward,
//             the median gradient of a golden case came out at 4.4 times PyTorch's error, with these at 3.6.
// Derivative  none: second derivatives go through masked_linear.

enable subgroups;

#import "lib/weights.wgsl"
#import "lib/linear-input.wgsl"
#import "lib/turned-weights.wgsl"
#import "lib/linear-quad.wgsl"
#import "lib/quad-outputs.wgsl"

@compute @workgroup_size(4)
fn linear_input_quad(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>, @builtin(subgroup_invocation_id) id: u32) {
  multiply_quad(wg, lane, id % 4u);
}
