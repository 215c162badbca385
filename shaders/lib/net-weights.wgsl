// Where the weights of a layer lie that is part of a fusion: as lib/quad-weights.wgsl has them where nobody changes them (PACKED), else as lib/layer-weights.wgsl.

override PACKED: bool = false;

/// Where the weights of output o + own begin, from input `start`, a multiple of 4, on, of a layer whose first four lie in `four`.
fn weights_from(four: u32, o: u32, start: u32, own: u32) -> u32 {
  if (PACKED) { return four + (o & ~3u) * ((params.inputs + 3u) >> 2u) + start + own; }
  return four * 4u + (o & ~7u) * params.inputs + start * 8u + (o & 7u) + own;
}

/// Those of inputs start + k … start + k + 3.
fn weights_behind(first: u32, k: u32) -> vec4<f32> {
  if (PACKED) { return weights_of(first + k); }
  let four = (first >> 2u) + k * 2u; // in SwiftShader each of four shifts would be a shift a lane
  let i = first & 3u;
  return vec4<f32>(weight[four][i], weight[four + 2u][i], weight[four + 4u][i], weight[four + 6u][i]);
}
