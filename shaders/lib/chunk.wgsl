// Of large products (lib/linear-quad.wgsl and lib/linear-broadcast.wgsl): chunks of inputs, blocks of outputs, and what of either masks let through.

#import "lib/ranges.wgsl"

const CHUNK = 64u;  // inputs at a time
const BLOCK = 128u; // outputs of one invocation
const SUMS = 2u * BLOCK;

override MORE: bool = false; // there are more inputs than a chunk holds

var<private> sums: array<vec4<f32>, SUMS>; // of the chunks so far: output o of the block and row group r in 2 o + r

/// From the first input to the last that some of outputs `first` … `last` − 1 reads.
fn inputs_of(first: u32, last: u32) -> vec2<u32> {
  let strips = (last + 7u) / 8u;
  var joined = vec2<u32>(0u);
  for (var s = first / 8u; s < strips; s++) { joined = union_of(joined, ranges_of(s)); }
  return joined;
}

/// Of those outputs, from the first strip to the last that reads some of the inputs of a chunk; the first is not below the last where none does.
fn outputs_of(first: u32, last: u32, start: u32) -> vec2<u32> {
  if (!MORE) { return vec2<u32>(first, last); }
  let strips = (last + 7u) / 8u;
  var some = vec2<u32>(last, first);
  for (var s = first / 8u; s < strips; s++) {
    let range = ranges_of(s);
    if (range.y > start && range.x < start + CHUNK) { some = vec2<u32>(min(some.x, s * 8u), min(s * 8u + 8u, last)); }
  }
  return some;
}
