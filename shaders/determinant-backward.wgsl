// log|det M| of a learned matrix, with the inverse that its gradient needs.
//
//   invert                 inverse = M⁻¹ by Gauss–Jordan elimination with partial pivoting;  log_det = factor · Σ log|pivot|
//   determinant_gradient   d M += factor · d log_det · M⁻ᵀ
//
// One workgroup, each invocation every 256th row; M⁻¹ is made in place, its columns put back in order at the end. Run once for all rows, at
// D³ multiply-adds. A singular matrix gives no finite number.
//
// Shapes      matrix, inverse, d_matrix f32 [D, D], row-major; log_det, d_log_det f32 [1]; pivots f32 [D], scratch.
// Error       as the condition of M: for singular values from 0.7 to 1.3 D units in the last place (tests/cases/determinant-backward.ts).
// Derivative  of log_det as above; nothing else reads the inverse.

#import "lib/math.wgsl"

struct Params {
  features: u32, // D
  factor: f32,   // pixels that the matrix acts on
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> matrix: array<f32>;
@group(0) @binding(3) var<storage, read_write> inverse: array<f32>;
@group(0) @binding(4) var<storage, read_write> log_det: array<f32>;
@group(0) @binding(5) var<storage, read_write> pivots: array<f32>;
@group(0) @binding(6) var<storage, read> made: array<f32>;
@group(0) @binding(7) var<storage, read> d_log_det: array<f32>;
@group(0) @binding(8) var<storage, read_write> d_matrix: array<f32>;

@compute @workgroup_size(256)
fn invert(@builtin(local_invocation_index) lane: u32) {
  let n = params.features;
  for (var i = lane; i < n * n; i += 256u) { inverse[i] = matrix[i]; }
  storageBarrier();
  var sum = 0.0;
  for (var k = 0u; k < n; k++) {
    var pivot = k;
    for (var i = k + 1u; i < n; i++) {
      if (abs(inverse[i * n + k]) > abs(inverse[pivot * n + k])) { pivot = i; }
    }
    let value = inverse[pivot * n + k];
    sum += accurate_log(vec4<f32>(abs(value))).x;
    storageBarrier();
    if (lane == 0u) { pivots[k] = f32(pivot); }
    for (var j = lane; j < n; j += 256u) {
      let found = inverse[pivot * n + j];
      inverse[pivot * n + j] = inverse[k * n + j];
      inverse[k * n + j] = select(found, 1.0, j == k) / value;
    }
    storageBarrier();
    for (var i = lane; i < n; i += 256u) {
      if (i == k) { continue; }
      let factor = inverse[i * n + k];
      inverse[i * n + k] = 0.0;
      for (var j = 0u; j < n; j++) { inverse[i * n + j] = fma(-factor, inverse[k * n + j], inverse[i * n + j]); }
    }
    storageBarrier();
  }
  for (var i = lane; i < n; i += 256u) {
    for (var k = n; k > 0u; k--) {
      let a = i * n + k - 1u;
      let b = i * n + u32(pivots[k - 1u]);
      let kept = inverse[a];
      inverse[a] = inverse[b];
      inverse[b] = kept;
    }
  }
  if (lane == 0u) { log_det[0] = params.factor * sum; }
}

@compute @workgroup_size(64)
fn determinant_gradient(@builtin(global_invocation_id) id: vec3<u32>) {
  let n = params.features;
  if (id.x >= n * n) { return; }
  d_matrix[id.x] += params.factor * d_log_det[0] * made[(id.x % n) * n + id.x / n];
}
