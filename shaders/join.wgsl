// Features in front of those of another tensor: what a multi-scale flow goes on with, and what it set aside before; or all of both.
//
//   y[f] = leading[f]     f < leading_features
//   y[f] = whole_tensor[f - shift]       otherwise
//
// Shapes      leading tiled [leading_features, rows]; whole_tensor tiled [whole_features, rows], at least `features - shift` of them; y tiled [features, rows].
// Error       none: the bits are copied.
// Derivative  d leading[f] = dy[f] below leading_features, a gather (permute); d whole_tensor[f - shift] = dy[f] beyond, and 0 below.
// Paper       Dinh, Sohl-Dickstein, Bengio 2017, arXiv:1605.08803, section 3.6.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"

struct Params {
  features: u32,
  leading_features: u32,
  whole_features: u32,
  shift: u32, // 0: what was in its place there stays in its place
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> leading: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> whole_tensor: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(16, 4)
fn join(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.y;
  if (id.x * 4u >= rows() || f >= params.features) { return; }
  let at = tiled(params.features, id.x) + f * TILE4;
  if (f < params.leading_features) {
    y[at] = leading[tiled(params.leading_features, id.x) + f * TILE4];
  } else {
    y[at] = whole_tensor[tiled(params.whole_features, id.x) + (f - params.shift) * TILE4];
  }
}
