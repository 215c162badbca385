// A log-det that no row changes, from a table that is computed on the device.
//
//   total[row] += sign · table[0]
//
// Shapes      total tiled [1, rows]; table f32.
// Error       one rounding.
// Derivative  d table[0] = sign · Σ over rows of d total (column_sums); the total's own gradient passes.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"

struct Params {
  sign: f32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> table: array<f32>;
@group(0) @binding(3) var<storage, read_write> total: array<vec4<f32>>;

@compute @workgroup_size(64)
fn add_table(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x * 4u >= rows()) { return; }
  total[tiled(1u, id.x)] += params.sign * table[0];
}
