// Weights of a strip of units by four inputs: every invocation loads them all. lib/strip-quad.wgsl is the other way.

struct Strip {
  low: mat4x4<f32>, // a column for each of four units
  high: mat4x4<f32>,
}

/// Weights of four units, a column each, by four inputs.
fn weights_at(a: vec4<u32>) -> mat4x4<f32> { return transpose(mat4x4<f32>(weights_of(a.x), weights_of(a.y), weights_of(a.z), weights_of(a.w))); }

/// `at`: the first vec4 of weights of each input. `fours`: vec4 an input, 2 or 1.
fn strip_at(at: vec4<u32>, fours: u32) -> Strip { return Strip(weights_at(at), weights_at(at + vec4<u32>(fours - 1u))); }

/// The unit of a column, or of a place behind it.
fn unit_at(place: u32, width: u32) -> u32 { return place; }

/// The same of a strip of 4.
fn narrow_strip_at(at: vec4<u32>) -> mat4x4<f32> { return weights_at(at); }

fn narrow_unit_at(place: u32) -> u32 { return place; }
