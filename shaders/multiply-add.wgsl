// Product of two tensors with a factor, added to a third or replacing it: what most derivative rules are made of.
//
//   y[y_at + f] = (ADD: y[y_at + f] +) factor a[a_at + f] b[f mod b_features]        without HAS_B, b is 1
//
// Shapes      a tiled [a_features, rows], b tiled [b_features, rows], y tiled [y_features, rows]; `features` of them are computed.
// Error       two roundings of the product, one of the sum.
// Derivative  d a = factor b d y and d b = factor a d y, this kernel again (summed over f with the same f mod b_features).
// Paper       none.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"

struct Params {
  features: u32,
  a_features: u32,
  a_at: u32,
  b_features: u32,
  y_features: u32,
  y_at: u32,
  factor: f32,
}

override HAS_B: bool = false;
override ADD: bool = false;

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(16, 4)
fn multiply_add(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.y;
  if (id.x * 4u >= rows() || f >= params.features) { return; }
  var value = params.factor * a[tiled(params.a_features, id.x) + (params.a_at + f) * TILE4];
  if (HAS_B) { value *= b[tiled(params.b_features, id.x) + (f % params.b_features) * TILE4]; }
  let at = tiled(params.y_features, id.x) + (params.y_at + f) * TILE4;
  if (ADD) { y[at] += value; } else { y[at] = value; }
}
