// Where the weights of a layer lie for lib/linear-quad.wgsl if they are packed for it alone: [outputs / 4, inputs / 4, 4 outputs, 4 inputs]. Four inputs of an output are
// one load then, which on SwiftShader takes half the instructions of four.

/// Where the weights of output o + own begin, from input `start`, a multiple of 4, on.
fn weights_from(four: u32, o: u32, start: u32, own: u32) -> u32 { return four + (o & ~3u) * ((params.inputs + 3u) >> 2u) + (start & ~3u) + own; }

/// Those of inputs start + k … start + k + 3.
fn weights_behind(first: u32, k: u32) -> vec4<f32> { return weights_of(first + k); }
