// Gradient by the slopes that tangents were scaled with (scale-tangents.wgsl): y[b F + f] = slope[f] x[b F + f].
//
//   d_slope[f] (+)= sum over b < blocks of x[b F + f] d_y[b F + f]
//
// Shapes      x, d_y tiled [blocks F, rows]; d_slope tiled [F, rows].
// Error       (2 + blocks) units in the last place of sum |x d_y| (tests/cases/tangents-backward.ts).
// Derivative  bilinear, but not needed.
// Paper       Griewank and Walther 2008, Evaluating Derivatives, chapter 5 (reverse over forward mode).

#import "lib/call.wgsl"
#import "lib/layout.wgsl"

struct Params {
  features: u32, // F
  blocks: u32,
}

override ADD: bool = false;

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> d_y: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> d_slope: array<vec4<f32>>;

@compute @workgroup_size(16, 4)
fn tangents_backward(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.y;
  if (id.x * 4u >= rows() || f >= params.features) { return; }
  let from_ = tiled(params.features * params.blocks, id.x) + f * TILE4;
  var sum = vec4<f32>(0.0);
  for (var b = 0u; b < params.blocks; b++) {
    let at = from_ + b * params.features * TILE4;
    sum = fma(x[at], d_y[at], sum);
  }
  let to = tiled(params.features, id.x) + f * TILE4;
  if (ADD) { d_slope[to] += sum; } else { d_slope[to] = sum; }
}
