// Rows of a data set in a shuffled order, a batch a step, without a table of the order.
//
//   y[f, row] = data[order(p + row), f],   order(q) = π_e(q mod n),  e = ⌊q / n⌋
//
// p is the number of rows that earlier steps took; it travels as its epoch and the place in it.
//
// π_e is a permutation of 0 … n − 1 drawn by the seed and the epoch e: a Feistel network of four rounds over the smallest even number of
// bits that holds n − 1, walked until it lands inside. So every row is met once an epoch, and p and the seed say when.
//
// Shapes   data row-major [n, features]; y tiled [features, rows].
// Error    none: the bits are copied.
// Paper    Black & Rogaway 2002, "Ciphers with arbitrary finite domains" (cycle walking).

#import "lib/call.wgsl"
#import "lib/layout.wgsl"

struct Params {
  features: u32,
  count: u32,
  half_bits: u32, // of an index; 4^half_bits ≥ count
  seed_low: u32,  // of the order, for all steps the same
  seed_high: u32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> data: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;

/// Spreads 32 bits: the finalizer `lowbias32` of Chris Wellons' hash-prospector (public domain). Philox in its place took 0.69 ms for 512 rows
/// on SwiftShader, this 0.09.
fn spread(word: u32) -> u32 {
  var x = word;
  x = (x ^ (x >> 16u)) * 0x7feb352du;
  x = (x ^ (x >> 15u)) * 0x846ca68bu;
  return x ^ (x >> 16u);
}

fn shuffled(place: u32, epoch: u32) -> u32 {
  let mask = (1u << params.half_bits) - 1u;
  let key = spread(params.seed_low ^ spread(params.seed_high ^ spread(epoch)));
  var at = place;
  loop {
    var left = at >> params.half_bits;
    var right = at & mask;
    for (var round = 1u; round <= 4u; round++) {
      let next = left ^ (spread(right ^ (key + round * 0x9e3779b9u)) & mask);
      left = right;
      right = next;
    }
    at = (left << params.half_bits) | right;
    if (at < params.count) { break; }
  }
  return at;
}

/// Source row of a row of this chunk of a batch, which begins at place call.step of the epoch call.steps and may run into the next one.
fn source_row(row: u32) -> u32 {
  let at = whole(call.step) + whole(call.first_row) + row;
  return shuffled(at % params.count, whole(call.steps) + at / params.count);
}

@compute @workgroup_size(64)
fn minibatch(@builtin(global_invocation_id) id: vec3<u32>) {
  let count = rows();
  if (id.x * 4u >= count) { return; }
  let last = count - 1u;
  var origin: vec4<u32>;
  for (var k = 0u; k < 4u; k++) { origin[k] = source_row(min(id.x * 4u + k, last)) * params.features; }
  for (var f = 0u; f < params.features; f++) {
    y[tiled(params.features, id.x) + f * TILE4] =
      vec4<f32>(data[origin.x + f], data[origin.y + f], data[origin.z + f], data[origin.w + f]);
  }
}
