// A sequence of Householder reflections: an orthogonal matrix that stays one whatever its parameters are.
//
//   y = H_K … H_1 x + shift          H_k v = v - vector_k (factor_k vector_k · v),  factor_k = 2 / |vector_k|^2
//   y = H_1 … H_K (x - shift)        REVERSE: the inverse, since each reflection is its own
//
// The dot product with the next vector is taken while the present reflection is subtracted, so each costs one pass over the features.
//
// Shapes      x, y tiled [D, rows]; vectors f32 [K, D]; constants f32 [2 K + D] = factors, what float32 leaves of them, shift.
// Cost        2 K D multiply-adds a row, one dispatch.
// Error       1e-6 sqrt(K) relative to max(1, |y|) for x of unit size (tests/cases/householder.ts). The log-det is 0.
// Derivative  d x is this kernel with REVERSE flipped and no shift; for each k, with v the value that H_k reads and g the gradient after
//             it, d vector_k = -factor_k [(vector_k · v) g + (vector_k · g) v - factor_k (vector_k · v) (vector_k · g) vector_k],
//             summed over rows; v and g are recovered backwards by the reflections themselves. Training takes the product of the
//             reflections as one matrix instead, whose derivative is reflections-backward.wgsl.
// Paper       Householder 1958, doi:10.1145/320941.320947; in flows: Tomczak and Welling 2016, arXiv:1611.09630.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"

struct Params {
  features: u32,    // D
  reflections: u32, // K
}

const RUN = 24u; // features of one partial sum

override REVERSE: bool = false;

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> vectors: array<f32>;
@group(0) @binding(4) var<storage, read> constants: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(64)
fn householder(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x * 4u >= rows()) { return; }
  let dim = params.features;
  let count = params.reflections;
  let base = tiled(dim, id.x);
  var factor = vec4<f32>(0.0); // of the reflection that is subtracted in this pass: none in the first
  var vector = 0u;
  // Pass k subtracts reflection k - 1 and meets vector k.
  for (var k = 0u; k <= count; k++) {
    let number = min(k, count - 1u);
    let next = select(number, count - 1u - number, REVERSE);
    var inner = vec4<f32>(0.0);
    for (var start = 0u; start < dim; start += RUN) {
      let end = min(start + RUN, dim);
      var part = vec4<f32>(0.0);
      for (var f = start; f < end; f++) {
        let at = base + f * TILE4;
        var v: vec4<f32>;
        if (k == 0u) {
          v = x[at];
          if (REVERSE) { v -= constants[2u * count + f]; }
        } else {
          v = y[at] - vectors[vector * dim + f] * factor;
        }
        part = fma(vec4<f32>(vectors[next * dim + f]), v, part);
        if (!REVERSE && k == count) { v += constants[2u * count + f]; }
        y[at] = v;
      }
      inner += part;
    }
    factor = inner * constants[next] + inner * constants[count + next];
    vector = next;
  }
}
