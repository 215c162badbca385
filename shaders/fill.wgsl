// A constant in every row.
//
//   destination[f, row] = value              or += value with ADD (the log-det of a linear layer)
//
// Shapes   destination tiled [features, rows].
// Error    none.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"

struct Params {
  features: u32,
  value: f32,
}

override ADD: bool = false;

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read_write> destination: array<vec4<f32>>;

@compute @workgroup_size(64)
fn fill(@builtin(global_invocation_id) id: vec3<u32>) {
  let groups = (rows() + 3u) / 4u;
  if (id.x >= groups) { return; }
  for (var f = 0u; f < params.features; f++) {
    let at = tiled(params.features, id.x) + f * TILE4;
    if (ADD) { destination[at] += vec4<f32>(params.value); } else { destination[at] = vec4<f32>(params.value); }
  }
}
