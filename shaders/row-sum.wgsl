// Log-det reduction.
//
//   total[row] += sum over f of terms[f, row]
//
// In a fixed order: blocks of 8 features are summed first, then the blocks, so that the error grows with features / 8 and equal
// inputs give equal bits on one adapter, whatever the batch.
//
// Shapes   terms tiled [features, rows]; total tiled [1, rows].
// Error    (8 + features / 8) units in the last place of sum |terms| at most; 2 + features / 32 measured (tests/cases/row-sum.ts).
// Paper    Higham 1993, "The accuracy of floating point summation", doi:10.1137/0914050 (blocked sums).

#import "lib/call.wgsl"
#import "lib/layout.wgsl"

struct Params {
  features: u32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> terms: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> total: array<vec4<f32>>;

@compute @workgroup_size(64)
fn row_sum(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x * 4u >= rows()) { return; }
  let base = tiled(params.features, id.x);
  var sum = vec4<f32>(0.0);
  for (var start = 0u; start < params.features; start += 8u) {
    var part = vec4<f32>(0.0);
    let end = min(start + 8u, params.features);
    for (var f = start; f < end; f++) { part += terms[base + f * TILE4]; }
    sum += part;
  }
  total[id.x] += sum;
}
