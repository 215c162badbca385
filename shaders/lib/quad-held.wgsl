// What a quad holds of the inputs of its rows, and the weights by which it is multiplied. The importer imports where weights lie (lib/layer-weights.wgsl,
// lib/quad-weights.wgsl, lib/net-weights.wgsl or lib/turned-weights.wgsl).

override EIGHTS: u32 = 8u; // eights of inputs that are held
override RAGGED: bool = true; // what is held may end within them

var<private> xs: array<vec4<f32>, 128>; // input k of row group r in 2 k + r

/// Weights of inputs k … k + 3 of the `count` that are held. Beyond them zeros are held, and unless RAGGED weights stand there, too, of the same layer:
/// 17 instructions less for each on SwiftShader.
fn held_weights(from_weight: u32, k: u32, count: u32) -> vec4<f32> {
  let w = weights_behind(from_weight, k);
  if (!RAGGED) { return w; }
  return select(vec4<f32>(0.0), w, vec4<u32>(k, k + 1u, k + 2u, k + 3u) < vec4<u32>(count));
}
