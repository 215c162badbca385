// Where the weights of a layer lie for lib/linear-quad.wgsl: packed [outputs / 8, inputs, 8].

/// Where the weights of output o + own begin, from input `start` on, of a layer whose first four lie in `four`.
fn weights_from(four: u32, o: u32, start: u32, own: u32) -> u32 { return four * 4u + (o & ~7u) * params.inputs + start * 8u + (o & 7u) + own; }

/// Those of inputs start + k … start + k + 3.
fn weights_behind(first: u32, k: u32) -> vec4<f32> {
  let at = first + k * 8u;
  return vec4<f32>(weight_at(at), weight_at(at + 8u), weight_at(at + 16u), weight_at(at + 24u));
}
