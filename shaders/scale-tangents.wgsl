// Tangents through an activation: each of several tangents, side by side, times one vector of slopes.
//
//   scale_tangents   y[b F + f] = slope[f] x[b F + f]          b < blocks
//   seed_tangents    y[b F + f] = slope[f] scale[f] seed[b F + f]      tangents that are the same in every row so far: unit vectors, or
//                                                                      the columns of a first linear layer
//
// SCALE: the gate of that layer at this time (concat-squash); without it scale is 1.
//
// Shapes      x, y tiled [blocks F, rows]; slope tiled [F, rows]; seed f32 [blocks F]; scale f32 from element scale_at on.
// Error       one rounding; two with SCALE.
// Derivative  d x = slope d y, multiply-add.wgsl; d slope[f] = sum over b of x[b F + f] d y[b F + f], tangents-backward.wgsl. Of
//             seed_tangents none: where gradients are asked for, tangents begin as unit vectors.
// Paper       Griewank and Walther 2008, Evaluating Derivatives, chapter 3 (vector forward mode).

#import "lib/call.wgsl"
#import "lib/layout.wgsl"

struct Params {
  features: u32, // F
  blocks: u32,
  scale_at: u32,
}

override SCALE: bool = false;

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> slope: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> seed: array<f32>;
@group(0) @binding(6) var<storage, read> scale: array<f32>;

@compute @workgroup_size(16, 4)
fn scale_tangents(@builtin(global_invocation_id) id: vec3<u32>) {
  let all = params.features * params.blocks;
  if (id.x * 4u >= rows() || id.y >= all) { return; }
  let at = tiled(all, id.x) + id.y * TILE4;
  y[at] = x[at] * slope[tiled(params.features, id.x) + (id.y % params.features) * TILE4];
}

@compute @workgroup_size(16, 4)
fn seed_tangents(@builtin(global_invocation_id) id: vec3<u32>) {
  let all = params.features * params.blocks;
  if (id.x * 4u >= rows() || id.y >= all) { return; }
  let f = id.y % params.features;
  var factor = seed[id.y];
  if (SCALE) { factor *= scale[params.scale_at + f]; }
  y[tiled(all, id.x) + id.y * TILE4] = factor * slope[tiled(params.features, id.x) + f * TILE4];
}
