// Affine map of each feature by constants: batch norm with running statistics, ActNorm, a learned diagonal base.
//
//   y[f] = (x[f] - center[f]) factor[f] + shift[f]
//
// The difference is taken first: folding it into the shift would cancel where the mean is large beside the deviation. The product
// is rounded once (lib/split-product.wgsl). Later layers magnify what is lost here: with a plain product maf-d6-flip of tests/golden
// shows 9 x PyTorch's error.
//
// Shapes   x, y tiled [features, rows]; constants f32 [4, features] = center, factor's leading 12 bits, its remainder, shift.
// Error    4e-7 relative to max(1, |y|) (tests/cases/diagonal-affine.ts).
// Paper    Ioffe and Szegedy 2015, arXiv:1502.03167; as a flow: Dinh et al. 2017, arXiv:1605.08803, section 3.7.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/split-product.wgsl"

struct Params {
  features: u32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> constants: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(16, 4)
fn diagonal_affine(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.y;
  if (id.x * 4u >= rows() || f >= params.features) { return; }
  let at = tiled(params.features, id.x) + f * TILE4;
  let scaled = split_product(x[at] - constants[f], constants[params.features + f], constants[2u * params.features + f]);
  y[at] = scaled + constants[3u * params.features + f];
}
