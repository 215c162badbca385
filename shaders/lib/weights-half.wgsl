// Weights in float16, four to 8 bytes: half the memory and traffic of lib/weights.wgsl. What float16 holds, float32 holds exactly, so results are those of
// the float32 kernel with the same weights. unpack2x16float is in every WGSL, where arrays of f16 need the feature `shader-f16`.
@group(0) @binding(3) var<storage, read> weight: array<vec2<u32>>;

fn weights_of(four: u32) -> vec4<f32> {
  let pairs = weight[four];
  return vec4<f32>(unpack2x16float(pairs.x), unpack2x16float(pairs.y));
}

fn weight_at(one: u32) -> f32 { return unpack2x16float(weight[one >> 2u][(one >> 1u) & 1u])[one & 1u]; }
