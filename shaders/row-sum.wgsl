// Log-det reduction.
//
//   row_sum        total[row] += sum over f of terms[f, row]
//   partial_sums   partials[b, row] = sum over f in 64 b ... 64 b + 63 of terms[f, row]      in front of it where features are many (an image)
//
// In a fixed order: blocks of 8 features are summed first, then the blocks, so that the error grows with features / 8 and equal
// inputs give equal bits on one adapter, whatever the batch.
//
// Shapes   terms tiled [features, rows]; total tiled [1, rows]; partials tiled [ceil(features / 64), rows].
// Error    (8 + features / 8) units in the last place of sum |terms| at most; 2 + features / 32 measured (tests/cases/row-sum.ts).
// Derivative  d terms[f] = d total, or d partials[f / 64].
// Paper    Higham 1993, "The accuracy of floating point summation", doi:10.1137/0914050 (blocked sums).

#import "lib/call.wgsl"
#import "lib/layout.wgsl"

struct Params {
  features: u32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> terms: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> total: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> partials: array<vec4<f32>>;

const PART = 64u;

/// Terms from `first` to `end`, in blocks of 8.
fn blocked_sum(base: u32, first: u32, end: u32) -> vec4<f32> {
  var sum = vec4<f32>(0.0);
  for (var start = first; start < end; start += 8u) {
    var part = vec4<f32>(0.0);
    for (var f = start; f < min(start + 8u, end); f++) { part += terms[base + f * TILE4]; }
    sum += part;
  }
  return sum;
}

@compute @workgroup_size(16, 4)
fn partial_sums(@builtin(global_invocation_id) id: vec3<u32>) {
  let count = (params.features + PART - 1u) / PART;
  if (id.x * 4u >= rows() || id.y >= count) { return; }
  let first = id.y * PART;
  partials[tiled(count, id.x) + id.y * TILE4] = blocked_sum(tiled(params.features, id.x), first, min(first + PART, params.features));
}

@compute @workgroup_size(64)
fn row_sum(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x * 4u >= rows()) { return; }
  total[id.x] += blocked_sum(tiled(params.features, id.x), 0u, params.features);
}
