// Vector-Jacobian product of log det(I + J) (log-determinant.wgsl), from the factors L U = I + J that it left in the place of J.
//
//   d_matrix[i, j] = SIGN d_log_det ((I + J)^-T)[i, j]:  column j solves  U^T (L^T y) = SIGN d_log_det e_j
//
// One invocation takes one column of four rows: D^2 multiply-adds, D^3 a row in all.
//
// Shapes      factors, d_matrix tiled [D D, rows], the diagonal of U less 1 as log-determinant.wgsl leaves it; d_log_det tiled [1, rows].
// Error       2e-6 relative to max(1, |value|) for |J| about 0.8, D up to 63 (tests/cases/log-determinant-backward.ts).
// Derivative  none: third derivatives have no use here.
// Paper       Giles 2008, doi:10.1007/978-3-540-68942-3_4 (the derivative of a determinant).

#import "lib/call.wgsl"
#import "lib/layout.wgsl"

struct Params {
  dim: u32,
  sign: f32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> factors: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> d_log_det: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> d_matrix: array<vec4<f32>>;

@compute @workgroup_size(16, 4)
fn log_determinant_backward(@builtin(global_invocation_id) id: vec3<u32>) {
  let dim = params.dim;
  let j = id.y;
  if (id.x * 4u >= rows() || j >= dim) { return; }
  let first = tiled(dim * dim, id.x);
  let column = first + j * TILE4;
  let row = dim * TILE4;
  for (var i = 0u; i < dim; i++) {
    var value = vec4<f32>(0.0);
    if (i == j) { value = params.sign * d_log_det[id.x]; }
    for (var k = j; k < i; k++) { value = fma(-factors[first + (k * dim + i) * TILE4], d_matrix[column + k * row], value); }
    d_matrix[column + i * row] = value / (1.0 + factors[first + (i * dim + i) * TILE4]);
  }
  for (var i = dim - 1u; i > 0u; i--) {
    let below = i - 1u;
    var value = d_matrix[column + below * row];
    for (var k = i; k < dim; k++) { value = fma(-factors[first + (k * dim + below) * TILE4], d_matrix[column + k * row], value); }
    d_matrix[column + below * row] = value;
  }
}
