// Features from places of one tensor to places of another; the rest of the other stays. What splits and merges are made of.
//
//   y[place[F + i]] = x[place[i]]          i < F
//
// Shapes      x tiled [x_features, rows]; y tiled [y_features, rows]; place u32 [2 F]: places in x, then places in y, each of these once.
// Error       none: the bits are copied.
// Derivative  d x[place[i]] = d y[place[F + i]], this kernel with the halves of `place` exchanged.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"

struct Params {
  features: u32, // F
  x_features: u32,
  y_features: u32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> place: array<u32>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(16, 4)
fn move_features(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x * 4u >= rows() || id.y >= params.features) { return; }
  y[tiled(params.y_features, id.x) + place[params.features + id.y] * TILE4] = x[tiled(params.x_features, id.x) + place[id.y] * TILE4];
}
