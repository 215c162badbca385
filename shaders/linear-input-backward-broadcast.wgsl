// A variant of linear-input-backward.wgsl, where the equation is, with weights that lanes load and broadcast, as in masked-linear-broadcast.wgsl.
//
// Shapes      as linear-input-backward.wgsl.
// Error       8 + inputs / 8 units in the last place of sum |W x| at most: runs of 8 inputs, as in linear-input-backward-quad.wgsl.
// Derivative  none: second derivatives go through masked_linear.

enable subgroups;

#import "lib/weights-scalar.wgsl"
#import "lib/linear-input.wgsl"
#import "lib/linear-broadcast.wgsl"

/// Where the weight of input k and output o lies: in the layer's own packing, [inputs / 8, outputs, 8].
fn place_of(o: u32, k: u32) -> u32 { return (k / 8u * params.outputs + o) * 8u + k % 8u; }

@compute @workgroup_size(8)
fn linear_input_broadcast(
  @builtin(workgroup_id) wg: vec3<u32>,
  @builtin(local_invocation_id) lane: vec3<u32>,
  @builtin(subgroup_invocation_id) id: u32,
  @builtin(subgroup_size) size: u32,
) {
  multiply_broadcast(wg, lane, id, size);
}
