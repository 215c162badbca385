// The matrix of a sequence of Householder reflections, as the weights of masked-linear, where the vectors are learned.
//
//   reflections            W = H_K … H_1,   H_k = I − factor_k v_k v_kᵀ,  factor_k = 2 / |v_k|²
//   reflections_backward   with X_k the matrix that H_k meets and G_k the gradient by what it leaves, a = X_kᵀ v_k and b = G_kᵀ v_k,
//                          d v_k += −factor_k (G_k a + X_k b − factor_k (a · b) v_k);   X_{k−1} = H_k X_k and G_{k−1} = H_k G_k
//
// Columns do not meet but in a · b and the sums over them: `reflections` takes one in each invocation, `reflections_backward` is one
// workgroup that takes a column, then a feature in each. Run once for all rows, at 2 K D² and 8 K D² multiply-adds.
//
// Shapes      vectors, d_vectors f32 [K, D]; weight, d_weight f32 [ceil(D / 8), D, 8]; work f32 [2 D² + 2 D], scratch.
// Error       entries and gradients 1e-6 √K relative to max(1, |value|) for vectors and d_weight of unit size (tests/cases/reflections-backward.ts).
// Paper       Householder 1958, doi:10.1145/320941.320947.

struct Params {
  features: u32,    // D
  reflections: u32, // K
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> vectors: array<f32>;
@group(0) @binding(3) var<storage, read_write> weight: array<f32>;
@group(0) @binding(4) var<storage, read> made: array<f32>;
@group(0) @binding(5) var<storage, read> d_weight: array<f32>;
@group(0) @binding(6) var<storage, read_write> work: array<f32>;
@group(0) @binding(7) var<storage, read_write> d_vectors: array<f32>;

/// Where row i of column j lies among packed weights.
fn place(i: u32, j: u32) -> u32 { return (i / 8u * params.features + j) * 8u + i % 8u; }

/// 2 / |v_k|².
fn factor_of(k: u32) -> f32 {
  var square = 0.0;
  for (var f = 0u; f < params.features; f++) {
    let v = vectors[k * params.features + f];
    square = fma(v, v, square);
  }
  return 2.0 / square;
}

@compute @workgroup_size(64)
fn reflections(@builtin(global_invocation_id) id: vec3<u32>) {
  let n = params.features;
  let j = id.x;
  if (j >= n) { return; }
  for (var i = 0u; i < (n + 7u) / 8u * 8u; i++) { weight[place(i, j)] = select(0.0, 1.0, i == j); }
  for (var k = 0u; k < params.reflections; k++) {
    var inner = 0.0;
    for (var i = 0u; i < n; i++) { inner = fma(vectors[k * n + i], weight[place(i, j)], inner); }
    let along = inner * factor_of(k);
    for (var i = 0u; i < n; i++) { weight[place(i, j)] -= vectors[k * n + i] * along; }
  }
}

@compute @workgroup_size(64)
fn reflections_backward(@builtin(local_invocation_index) lane: u32) {
  let n = params.features;
  let square = n * n;
  for (var j = lane; j < n; j += 64u) {
    for (var i = 0u; i < n; i++) {
      work[i * n + j] = made[place(i, j)];
      work[square + i * n + j] = d_weight[place(i, j)];
    }
  }
  for (var k = params.reflections; k > 0u; k--) {
    let origin = (k - 1u) * n;
    let factor = factor_of(k - 1u);
    // Column by column: H_k is its own inverse, so what it met is found from what it left, and a = −(what it left)ᵀ v.
    for (var j = lane; j < n; j += 64u) {
      var a = 0.0;
      var b = 0.0;
      for (var i = 0u; i < n; i++) {
        a = fma(-vectors[origin + i], work[i * n + j], a);
        b = fma(vectors[origin + i], work[square + i * n + j], b);
      }
      for (var i = 0u; i < n; i++) { work[i * n + j] = fma(factor * a, vectors[origin + i], work[i * n + j]); }
      work[2u * square + j] = a;
      work[2u * square + n + j] = b;
    }
    storageBarrier();
    for (var i = lane; i < n; i += 64u) {
      var sum = 0.0;
      var both = 0.0;
      for (var j = 0u; j < n; j++) {
        let a = work[2u * square + j];
        let b = work[2u * square + n + j];
        sum = fma(a, work[square + i * n + j], fma(b, work[i * n + j], sum));
        both = fma(a, b, both);
      }
      d_vectors[origin + i] -= factor * (sum - factor * both * vectors[origin + i]);
    }
    storageBarrier();
    for (var j = lane; j < n; j += 64u) {
      let along = factor * work[2u * square + n + j];
      for (var i = 0u; i < n; i++) { work[square + i * n + j] = fma(-along, vectors[origin + i], work[square + i * n + j]); }
    }
  }
}
