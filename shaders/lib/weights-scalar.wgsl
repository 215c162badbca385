// Weights in float32, one to a load: where a quad shares them, an invocation needs one of four. One bound is checked, where a component of lib/weights.wgsl has two.
@group(0) @binding(3) var<storage, read> weight: array<f32>;

fn weight_at(one: u32) -> f32 { return weight[one]; }
