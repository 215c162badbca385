// Gradient by a table of which each row of the batch took the entries of its class (class-table.wgsl).
//
//   d_table[k, f] += Σ over rows of class k of d_y[f, row]
//
// One invocation for each entry. Sums run over one tile of 64 rows, then tiles are added in order. A row whose label is no class adds nothing.
//
// Shapes      labels tiled [label_features, rows]; d_y tiled [features, rows]; d_table f32 [classes, features].
// Error       16 + tiles units in the last place of Σ |d_y| (tests/cases/class-table-backward.ts).
// Derivative  linear in d_y.

#import "lib/layout.wgsl"
#import "lib/rows-backward.wgsl"
#import "lib/elements.wgsl"

struct Params {
  features: u32,
  classes: u32,
  label_features: u32,
  label_at: u32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> labels: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> d_y: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> d_table: array<f32>;

@compute @workgroup_size(64)
fn class_table_backward(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let entry = shared_by(1u, wg, lane);
  if (entry >= params.classes * params.features) { return; }
  let class_here = vec4<f32>(f32(entry / params.features));
  let f = entry % params.features;
  let groups = (rows() + 3u) / 4u;
  var sum = 0.0;
  for (var first = 0u; first < groups; first += TILE4) {
    let end = min(first + TILE4, groups);
    var label_at = tiled(params.label_features, first) + params.label_at * TILE4;
    var at = tiled(params.features, first) + f * TILE4;
    var part = vec4<f32>(0.0);
    for (var group = first; group < end; group++) {
      part += select(vec4<f32>(0.0), d_y[at], present(group) & (labels[label_at] == class_here));
      label_at++;
      at++;
    }
    sum += dot(part, vec4<f32>(1.0));
  }
  d_table[entry] += sum;
}
