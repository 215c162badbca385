// log det(I + J) of one small matrix a row, where the spectral norm of J is below 1.
//
//   for k:  log_det[row] += SIGN log(1 + J[k, k])                          nats; SIGN is -1 for the log-det of the inverse map
//           J[i, j] -= J[i, k] J[k, j] / (1 + J[k, k])      i, j > k       (LU without pivoting, the diagonal kept less 1)
//
// Nothing is pivoted because nothing has to be: with |J| <= L < 1 the symmetric part of I + J is positive definite, and so is that of
// every Schur complement, whose entries stay below (1 + L) + L^2 / (1 - L) and whose inverses, parts of (I + J)^-1, below 1 / (1 - L).
// So pivots are positive, and the diagonal less 1 loses nothing to the 1. A J that is no contraction gives NaN where a pivot is not positive.
//
// Shapes      matrix tiled [dim dim, rows], overwritten with its factors (either order of indices: the determinant is that of the
//             transpose too); log_det tiled [1, rows].
// Error       4e-7 relative to max(1, |log det|) for |J| about 0.8, D up to 63 (tests/cases/log-determinant.ts).
// Derivative  d J = SIGN (I + J)^-T d log_det.
// Paper       Golub and Van Loan 1979, doi:10.1016/0024-3795(79)90121-X (LU of matrices with a positive definite symmetric part).

#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/math.wgsl"

struct Params {
  dim: u32,
  sign: f32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read_write> matrix: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> log_det: array<vec4<f32>>;

@compute @workgroup_size(16)
fn log_determinant(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x * 4u >= rows()) { return; }
  let dim = params.dim;
  let first = tiled(dim * dim, id.x);
  var sum = vec4<f32>(0.0);
  for (var k = 0u; k < dim; k++) {
    let pivot = matrix[first + (k * dim + k) * TILE4];
    sum += accurate_log1p(pivot);
    for (var i = k + 1u; i < dim; i++) {
      let at = first + i * dim * TILE4;
      let factor = matrix[at + k * TILE4] / (1.0 + pivot);
      matrix[at + k * TILE4] = factor;
      for (var j = k + 1u; j < dim; j++) {
        matrix[at + j * TILE4] = fma(-factor, matrix[first + (k * dim + j) * TILE4], matrix[at + j * TILE4]);
      }
    }
  }
  log_det[id.x] += params.sign * sum;
}
