// Weights in float32, four to a load. A shader imports this, lib/weights-scalar.wgsl, or lib/weights-half.wgsl.
@group(0) @binding(3) var<storage, read> weight: array<vec4<f32>>;

fn weights_of(four: u32) -> vec4<f32> { return weight[four]; }

fn weight_at(one: u32) -> f32 { return weight[one >> 2u][one & 3u]; }
