// Weights in float32, four to a load. lib/weights-half.wgsl is the other way to keep them; a shader imports one of the two.
@group(0) @binding(3) var<storage, read> weight: array<vec4<f32>>;

fn weights_of(four: u32) -> vec4<f32> { return weight[four]; }

/// One of those four.
fn weight_of(four: u32, one: u32) -> f32 { return weight[four][one]; }
