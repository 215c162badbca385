// A conditioner of narrow layers and the affine transformer that it parameterises, in one dispatch.
//
//   parameters = net(x)                                     lib/narrow-net.wgsl
//   y[f] = a value[f] + t                where plan[slot_at + f] = j: t = parameters[j], a from u = parameters[SLOTS + j] (lib/affine.wgsl)
//   y[f] = value[f]                      where it is NONE
//   total += sum over j of log|dy/dx|    nats; HAS_LOG_DET
//
// What it takes the place of: masked-linear for each layer, affine, and row-sum (src/tuning/fuse.ts).
//
// Shapes   x tiled [x_features, rows]; weight f32, [outputs / 8, inputs, 8] of one layer after another; bias f32, [3, 8 ceil(outputs / 8)] of each;
//          addend tiled [addend_features, rows]; value, y tiled [features, rows]; total tiled [1, rows]. Layers of at most 64 units, or 128.
// Error    that of its parts: 2e-5 of max(1, |value|) for three layers of up to 128 units of unit size (tests/cases/narrow-net-affine.ts).
// Paper    Müller 2021, "Real-time neural radiance caching", arXiv:2106.12372 (fully fused networks); Dinh et al. 2017, arXiv:1605.08803.

#import "lib/narrow-net.wgsl"
#import "lib/affine.wgsl"

/// @param p of the shift; the unconstrained scale is `stride` further.
fn transform(v: vec4<f32>, p: u32, stride: u32) -> Moved {
  var u = vec4<f32>(0.0);
  if (SCALE != SCALE_NONE) { u = units[p + stride]; }
  return move_affine(v, units[p], u);
}

@compute @workgroup_size(64)
fn narrow_net_affine(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>) {
  run_all(wg.x * TILE4 + wg.y * params.groups, lane.x);
}
