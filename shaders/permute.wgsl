// Gather of features.
//
//   y[f] = x[index[f]]          0 where index[f] is NONE
//
// Shapes   x tiled [source_features, rows]; y tiled [features, rows]; index u32 [features].
// Error    none: the bits are copied.
// Derivative  d x[k] = sum over f with index[f] = k of d y[f]: this kernel by the inverse index, once for each of several readers.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"

const NONE = 0xffffffffu;

struct Params {
  features: u32,
  source_features: u32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> index: array<u32>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(16, 4)
fn permute(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.y;
  if (id.x * 4u >= rows() || f >= params.features) { return; }
  var value = vec4<f32>(0.0);
  if (index[f] != NONE) { value = x[tiled(params.source_features, id.x) + index[f] * TILE4]; }
  y[tiled(params.features, id.x) + f * TILE4] = value;
}
