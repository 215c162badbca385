// Integers to the unit cube and back.
//
//   dequantize    y[f] = (k[f] + u[f]) step        step = 1 / levels; u in (0, 1); y kept inside (0, 1), where rounding would reach 1
//   quantize      k[f] = floor(y[f] levels)        kept among 0 … levels - 1
//
// Shapes      k, u, y tiled [D, rows]; k holds integers as floats.
// Error       2e-7 (tests/cases/dequantize.ts); quantize none, beside the rounding of y levels. A NaN stays a NaN.
// Derivative  d u = step d y, a constant scale; k is data. quantize has none.
// Paper       Theis, van den Oord, Bethge 2016, arXiv:1511.01844 (the bound); Ho et al. 2019, arXiv:1902.00275 (variational noise).

#import "lib/call.wgsl"
#import "lib/layout.wgsl"

struct Params {
  features: u32,
  levels: f32,
  step: f32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> u: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;

fn held(v: vec4<f32>, low: f32, high: f32) -> vec4<f32> {
  let below = select(v, vec4<f32>(high), v > vec4<f32>(high));
  return select(below, vec4<f32>(low), below < vec4<f32>(low));
}

@compute @workgroup_size(16, 4)
fn dequantize(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x * 4u >= rows() || id.y >= params.features) { return; }
  let at = tiled(params.features, id.x) + id.y * TILE4;
  y[at] = held((x[at] + u[at]) * params.step, 1.17549435e-38, 0.99999994); // 2^-126, 1 - 2^-24
}

@compute @workgroup_size(16, 4)
fn quantize(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x * 4u >= rows() || id.y >= params.features) { return; }
  let at = tiled(params.features, id.x) + id.y * TILE4;
  y[at] = held(floor(x[at] * params.levels), 0.0, params.levels - 1.0);
}
