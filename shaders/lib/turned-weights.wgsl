// Where the weights of a transposed layer lie for lib/linear-quad.wgsl and lib/thin-net.wgsl: those of the layer, packed [inputs / 8, outputs, 8].
// lib/layer-weights.wgsl is the layer itself.

/// Where the weights of output o + own begin, from input `start`, a multiple of 8, on, of a layer whose first four lie in `four`.
fn weights_from(four: u32, o: u32, start: u32, own: u32) -> u32 { return four + ((start >> 3u) * params.outputs + o + own) * 2u; }

/// Those of inputs start + k … start + k + 3.
fn weights_behind(first: u32, k: u32) -> vec4<f32> { return weights_of(first + (k >> 3u) * params.outputs * 2u + ((k >> 2u) & 1u)); }
