// A variant of masked-linear.wgsl, where the equation is: 128 outputs of 8 rows an invocation, with weights shared by the four invocations of a quad.
//
// 64 inputs of its 8 rows lie in an array whose every index is a number, which is as good as registers. Four outputs at a time, an invocation loads the
// weights of one, and swaps within the quad bring those of the other three in turn: a quarter of the loads, and none of x for 128 outputs. An output's sums are
// straight code, 512 multiply-adds that a loop takes once for each of the four, short enough for the first-level instruction cache; with all four written out
// it came from the second. What comes of more than 64 inputs is added in a second array. Written out by `#repeat` (scripts/repeat.mjs), since a loop's index
// would make each access a gather.
//
// All outputs of a block read the union of their ranges, in chunks of 64 inputs; of a chunk beyond the first 64, the outputs between the first and the last
// strip that needs it. Nothing within the straight code is skipped: SwiftShader runs both ways of a branch, and a loop around it costs more than it saves.
// Sums run over k in order, in runs of 24, 24 and 16: the bits of masked-linear.wgsl for ranges of up to 64 inputs that begin together, at a multiple of 4,
// since what the mask closes adds 0. Where inputs come in whole chunks (not RAGGED) weights stand for all that is held, so none is chosen; runs that would end beyond the last
// input begin earlier. Layers of up to four outputs (THIN) hold nothing and sum runs of 8.
//
// Shapes   as masked-linear.wgsl.
// Error    (24 + inputs / 21) units in the last place of sum |weight x| at most, (8 + inputs / 8) for up to four outputs; 4 + inputs / 96 on random signs (tests/cases/masked-linear.ts).
// Paper    as masked-linear.wgsl.

enable subgroups;

#import "lib/weights-scalar.wgsl"
#import "lib/masked-linear.wgsl"
#import "lib/layer-weights.wgsl"
#import "lib/linear-quad.wgsl"
#import "lib/quad-outputs.wgsl"

@compute @workgroup_size(4)
fn masked_linear_quad(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>, @builtin(subgroup_invocation_id) id: u32) {
  multiply_quad(wg, lane, id % 4u);
}
