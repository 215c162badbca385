// A variant of masked-linear.wgsl, where the equation is: 128 outputs of 8 rows an invocation, with weights loaded by the lanes of a subgroup and broadcast. For llvmpipe.
//
// There a load from a storage buffer is a branch for each lane, some 80 instructions whether lanes read one address or eight, and a multiply-add is two. So
// 64 inputs of 8 rows lie in an array whose every index is a number, which is memory that a multiply-add reads for nothing; a lane loads the weights of every
// eighth input of an output, and a broadcast, one permutation, brings each to all. An output's sums over 64 inputs are straight code of 512 multiply-adds in runs of 24,
// 24 and 16; what comes of more inputs is added in a second array. Of masks, a chunk of 64 inputs skips the outputs before and behind the strips that need it.
//
// Lanes are at most eight of a subgroup, or the four that some adapters have. The shuffle's lane is a number to a compiler that knows its subgroups' size: llvmpipe has no loop then.
//
// Shapes   as masked-linear.wgsl.
// Error    (24 + inputs / 21) units in the last place of sum |weight x| at most; 4 + inputs / 96 on random signs (tests/cases/masked-linear.ts).
// Paper    as masked-linear.wgsl.

enable subgroups;

#import "lib/weights-scalar.wgsl"
#import "lib/masked-linear.wgsl"
#import "lib/linear-broadcast.wgsl"

/// Where the weight of input k and output o lies.
fn place_of(o: u32, k: u32) -> u32 { return (o / 8u * params.inputs + k) * 8u + o % 8u; }

@compute @workgroup_size(8)
fn masked_linear_broadcast(
  @builtin(workgroup_id) wg: vec3<u32>,
  @builtin(local_invocation_id) lane: vec3<u32>,
  @builtin(subgroup_invocation_id) id: u32,
  @builtin(subgroup_size) size: u32,
) {
  multiply_broadcast(wg, lane, id, size);
}
