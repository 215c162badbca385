// Philox4x32-10, raw words.
//
//   result[i] = philox(counter = source[6i .. 6i+3], key = source[6i+4 .. 6i+5])
//
// Shapes   source [cases, 6] u32, result [cases, 4] u32.
// Error    none: Random123's known answers, bit for bit.
// Paper    Salmon, Moraes, Dror and Shaw 2011, doi:10.1145/2063384.2063405.

#import "lib/philox.wgsl"

struct Params {
  count: u32, // cases
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> source: array<u32>;
@group(0) @binding(3) var<storage, read_write> result: array<vec4<u32>>;

@compute @workgroup_size(64)
fn raw(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= params.count) { return; }
  let i = id.x * 6u;
  let counter = vec4<u32>(source[i], source[i + 1u], source[i + 2u], source[i + 3u]);
  result[id.x] = philox(counter, vec2<u32>(source[i + 4u], source[i + 5u]));
}
