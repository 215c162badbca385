// masked-linear-quad.wgsl, where equation and method are, with weights that are packed for it alone: those of four inputs are one load. Layers whose weights nobody changes
// run it (src/tuning/quad-layers.ts).
//
// Shapes   as masked-linear.wgsl, but weight f32 [ceil(outputs / 4), ceil(inputs / 4), 4 outputs, 4 inputs].
// Error    as masked-linear-quad.wgsl.
// Paper    as masked-linear.wgsl.

enable subgroups;

#import "lib/weights.wgsl"
#import "lib/masked-linear.wgsl"
#import "lib/quad-weights.wgsl"
#import "lib/linear-quad.wgsl"
#import "lib/quad-outputs.wgsl"

@compute @workgroup_size(4)
fn quad_linear(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>, @builtin(subgroup_invocation_id) id: u32) {
  multiply_quad(wg, lane, id % 4u);
}
