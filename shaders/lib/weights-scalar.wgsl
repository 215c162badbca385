// Weights in float32, one to a load: where a quad shares them, an invocation needs one of four. One bound is checked, where a component of lib/weights.wgsl has two.
@group(0) @binding(3) var<storage, read> weight: array<f32>;

fn weight_at(one: u32) -> f32 { return weight[one]; }

/// Every eighth of four: inputs one after the other of an output of a strip.
fn weights_in_strip(one: u32) -> vec4<f32> { return vec4<f32>(weight[one], weight[one + 8u], weight[one + 16u], weight[one + 24u]); }
