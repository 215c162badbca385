// Weights in float32, four to a load. A shader imports this, lib/weights-scalar.wgsl, or lib/weights-half.wgsl.
@group(0) @binding(3) var<storage, read> weight: array<vec4<f32>>;

fn weights_of(four: u32) -> vec4<f32> { return weight[four]; }

fn weight_at(one: u32) -> f32 { return weight[one >> 2u][one & 3u]; }

/// Every eighth of four: inputs one after the other of an output of a strip. Where they lie is worked out once.
fn weights_in_strip(one: u32) -> vec4<f32> {
  let four = one >> 2u;
  let i = one & 3u;
  return vec4<f32>(weight[four][i], weight[four + 2u][i], weight[four + 4u][i], weight[four + 6u][i]);
}
