// A conditioner of narrow layers and the spline transformer that it parameterises, in one dispatch.
//
//   parameters = net(x)                                     lib/narrow-net.wgsl
//   y[f] = spline(value[f]; parameters of place j)          where plan[slot_at + f] = j: parameter p = parameters[p SLOTS + j] (lib/spline.wgsl)
//   y[f] = value[f]                                         where it is NONE
//   total += sum over j of log|dy/dx|                       nats; HAS_LOG_DET
//
// What it takes the place of: masked-linear for each layer, spline, and row-sum (src/tuning/fuse.ts).
//
// Shapes   as narrow-net-affine.wgsl.
// Error    that of its parts (tests/cases/narrow-net-spline.ts): the spline magnifies the network's by what a bin's slope does (spline.wgsl).
// Paper    Durkan et al. 2019, arXiv:1906.04032; Müller 2021, arXiv:2106.12372 (fully fused networks).

#import "lib/narrow-net.wgsl"
#import "lib/spline.wgsl"

fn parameter(at: u32) -> vec4<f32> { return units[at]; }

fn transform(v: vec4<f32>, p: u32, stride: u32) -> Moved { return move_spline(v, p, stride); }

@compute @workgroup_size(64)
fn narrow_net_spline(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>) {
  run_all(wg.x * TILE4 + wg.y * params.groups, lane.x);
}
