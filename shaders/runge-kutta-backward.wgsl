// Vector-Jacobian product of a Runge-Kutta sum (advance in runge-kutta.wgsl) by the slopes of its stages.
//
//   d_k[i STRIDE + f] (+)= coefficients[i] d_y[y_at + f]          i < terms, f < features
//
// The gradient by x is d_y itself. Walking back through recorded steps gives the gradient of what the solver computed, to rounding, and
// not that of the differential equation that it approximates.
//
// Shapes      d_y tiled [y_features, rows]; d_k tiled [k_features, rows]; coefficients f32 [terms].
// Error       two roundings (tests/cases/runge-kutta-backward.ts).
// Derivative  by d_y: advance.
// Paper       Gholami, Keutzer, Biros 2019, arXiv:1902.10298 (discretise, then differentiate).

#import "lib/call.wgsl"
#import "lib/layout.wgsl"

struct Params {
  features: u32,
  terms: u32,
  k_features: u32,
  k_stride: u32,
  y_features: u32,
  y_at: u32,
}

override ADD: bool = false;

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> d_y: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> coefficients: array<f32>;
@group(0) @binding(4) var<storage, read_write> d_k: array<vec4<f32>>;

@compute @workgroup_size(16, 4)
fn advance_backward(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.y;
  if (id.x * 4u >= rows() || f >= params.features) { return; }
  let gradient = d_y[tiled(params.y_features, id.x) + (params.y_at + f) * TILE4];
  let to = tiled(params.k_features, id.x) + f * TILE4;
  for (var i = 0u; i < params.terms; i++) {
    let at = to + i * params.k_stride * TILE4;
    let part = coefficients[i] * gradient;
    if (ADD) { d_k[at] += part; } else { d_k[at] = part; }
  }
}
