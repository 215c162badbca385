// Where the weights of a layer lie for lib/linear-quad.wgsl: packed [outputs / 8, inputs, 8].

/// Where the weights of outputs o … o + 3 begin, from input `start` on.
fn weights_from(o: u32, start: u32, own: u32) -> u32 { return (o / 8u * params.inputs + start) * 2u + o / 4u % 2u; }

/// That of output o + own and input start + k.
fn weight_behind(first: u32, k: u32, own: u32) -> f32 { return weight_of(first + k * 2u, own); }
