// The adjoint of a residual layer's inverse: λ = (I + J)^-T d, J = dg/dx at the solution of x + g(x) = z.
//
//   λ + J^T λ = d          J^T has the spectral norm of J, so the iteration of residual-solve.wgsl solves this too; J^T λ is a pass through the transposed
//                          layers with the slopes at x:  J^T = D_1 W_1^T D_2 W_2^T … D_m W_m^T
//
// One pass of values at x keeps the slopes D; then each evaluation is a pass of tangents. Broyden's method ends in 2 D steps on a linear map.
//
// Shapes      source (d), x (λ), point (x) tiled [dim, rows]; layers the network and then the transposed one, last layer first, whose words of slopes
//             are those of the layer before which they stand; weight those of both; state tiled [nodes, rows],
//             nodes = 2 width + (5 + memory) dim + inputs of the activated layers; side tiled [side_features, rows].
// Error       that of rounding in J and in J^T λ, times up to 1 / (1 - L): 6e-6 / (1 - L) relative to max(1, |λ|) where the Jacobian is near its bound,
//             2e-6 on random nets (tests/cases/residual-solve-backward.ts).
// Derivative  none: second derivatives of a solve have no use here.
// Paper       as residual-solve.wgsl; Bai, Kolter, Koltun 2019, arXiv:1909.01377 (implicit differentiation of a fixed point).

#import "lib/row-net.wgsl"
#import "lib/contraction.wgsl"

struct Params {
  dim: u32,
  layers: u32,
  width: u32,
  nodes: u32,
  side_features: u32,
  memory: u32,
  limit: u32,
  patience: u32,
  slope_features: u32,
  contraction: f32, // L
  tolerance: f32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(7) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(9) var<storage, read> point: array<vec4<f32>>;

fn image(first: u32, side_at: u32, from_feature: u32) {
  evaluate(first, side_at, from_feature, true, params.layers);
  if (layers[5] == 0u) { return; }
  let slopes = first + layers[4] * TILE4;
  for (var i = 0u; i < 2u * params.dim; i++) {
    let at = (i / 2u) * TILE4 + (i % 2u) * 8u;
    state[first + params.width * TILE4 + at] *= state[slopes + at];
  }
}

@compute @workgroup_size(8)
fn residual_solve_backward(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>) {
  let group = wg.x * TILE4 + lane.x;
  if (group * 4u >= rows()) { return; }
  let first = tiled(params.nodes, group);
  let side_at = tiled(params.side_features, group);
  let from_feature = 2u * params.width;
  for (var i = 0u; i < 2u * params.dim; i++) {
    let at = (i / 2u) * TILE4 + (i % 2u) * 8u;
    state[first + from_feature * TILE4 + at] = point[tiled(params.dim, group) + at];
  }
  evaluate(first, side_at, from_feature, false, 0u);
  contract(group, first, side_at, from_feature + params.dim + params.slope_features);
}
