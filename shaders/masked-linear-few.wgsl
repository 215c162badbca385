// A variant of masked-linear.wgsl, where the equation is, for a handful of rows: a workgroup for 8 outputs of 8 rows.
//
// With a few rows there is nothing to share a weight with, so its 64 invocations share out the inputs instead: half h of the strip, inputs s, s + 32, …
// Consecutive invocations read consecutive weights. Their sums are added in workgroup memory, eight and then four at a time.
//
// Shapes   as masked-linear.wgsl.
// Error    (inputs / 32 + 12) units in the last place of sum |weight x| at most; 4 + inputs / 96 on random signs (tests/cases/masked-linear.ts).
// Paper    as masked-linear.wgsl.

#import "lib/weights.wgsl"
#import "lib/linear-few.wgsl"

@compute @workgroup_size(64)
fn masked_linear_few(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>) {
  multiply_few(wg, lane);
}
