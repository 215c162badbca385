// Rows of a table by class: the parameters of a base that each class has its own of.
//
//   y[f] = table[k, f]
//
// k is the label, a context feature. Where that is not an integer from 0 to classes - 1, NaN among them, the row's results are NaN.
//
// Shapes      y tiled [features, rows]; labels tiled [label_features, rows]; table f32 [K, features].
// Error       none: the bits are copied (tests/cases/class-table.ts).
// Derivative  d table[k, f] = sum over the rows of class k of dy[f].
// Paper       Kingma and Dhariwal 2018, arXiv:1807.03039, section 3.2 (class-conditional prior).

#import "lib/call.wgsl"
#import "lib/layout.wgsl"

struct Params {
  features: u32,
  classes: u32,
  label_features: u32,
  label_at: u32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> labels: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> table: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(16, 4)
fn class_table(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.y;
  if (id.x * 4u >= rows() || f >= params.features) { return; }
  let label = labels[tiled(params.label_features, id.x) + params.label_at * TILE4];
  // By bits, since WGSL lets a compiler assume that NaN does not occur: as integers the bits of numbers from 0 on sort as the numbers do,
  // and those of negative numbers and NaN lie above; -0 is 0.
  let bits = bitcast<vec4<u32>>(label);
  let inside = (bits < vec4<u32>(bitcast<u32>(f32(params.classes)))) | (bits == vec4<u32>(0x80000000u));
  let known = inside & (floor(label) == label);
  let at = vec4<u32>(select(vec4<f32>(0.0), label, known)) * params.features + f;
  let entry = vec4<f32>(table[at.x], table[at.y], table[at.z], table[at.w]);
  y[tiled(params.features, id.x) + f * TILE4] = select(bitcast<vec4<f32>>(bits | vec4<u32>(0x7fc00000u)), entry, known);
}
