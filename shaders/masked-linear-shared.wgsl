// A variant of masked-linear.wgsl, where the equation is: tiles of 64 rows by 64 outputs in workgroup memory.
//
// 128 invocations load 16 inputs of the tile's rows and outputs together; each computes 8 outputs of 4 rows. What 8 × 8 registers load from storage
// for themselves is read here once for the workgroup: 8 KiB for 16 inputs. A strip skips runs that lie outside its own range.
//
// Shapes   as masked-linear.wgsl.
// Error    (16 + inputs / 16) units in the last place of sum |weight x| at most; 4 + inputs / 96 on random signs (tests/cases/masked-linear.ts).
// Paper    as masked-linear.wgsl.

#import "lib/weights.wgsl"
#import "lib/linear-shared.wgsl"

@compute @workgroup_size(16, 8)
fn masked_linear_shared(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>) {
  multiply_shared(wg, lane);
}
