// Mixture of diagonal normals as a base.
//
//   sample        z[f] = mean[k, f] + scale[k, f] noise[f], component k by one uniform of Philox stream 1: counter = (row, 0, 1, 0)
//   log_density   log_prob[row] = SIGN log_det[row] + logsumexp over k of (constant[k] - 1/2 sum over f ((z[f] - mean[k, f]) / scale[k, f])^2)
//                 constant[k] = log weight[k] - sum over f log scale[k, f] - (D / 2) log 2 pi, in float64 on the host    nats
//
// Shapes   z, noise tiled [D, rows]; thresholds u32 [K]: cumulated weights times 2^32; table f32 [K + 2 K D] = constant, mean,
//          then scale (sample) or 1 / scale (log_density); log_det, log_prob tiled [1, rows].
// Error    draws: 4e-7 relative to max(1, |z|); density: 1e-6 relative to max(1, |log density|) (tests/cases/diagonal-mixture.ts).
// Paper    Papamakarios et al. 2017, arXiv:1705.07057, section 3.1 (mixture base as MAF MoG's counterpart).

#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/philox.wgsl"

struct Params {
  dim: u32,
  components: u32,
  sign: f32, // as in standard-normal
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> table: array<f32>;
@group(0) @binding(4) var<storage, read> thresholds: array<u32>;
@group(0) @binding(5) var<storage, read_write> z: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> log_det: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> log_prob: array<vec4<f32>>;

/// First component whose cumulated weight exceeds the draw; the last where rounding left a gap.
fn component(row: u32, key: vec2<u32>) -> u32 {
  let draw = philox(vec4<u32>(row, 0u, 1u, 0u), key).x;
  for (var k = 0u; k + 1u < params.components; k++) {
    if (draw < thresholds[k]) { return k; }
  }
  return params.components - 1u;
}

@compute @workgroup_size(64)
fn sample(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x * 4u >= rows()) { return; }
  let row = whole(call.first_row) + id.x * 4u;
  let key = vec2<u32>(whole(call.seed_low), whole(call.seed_high));
  let dim = params.dim;
  let chosen = vec4<u32>(component(row, key), component(row + 1u, key), component(row + 2u, key), component(row + 3u, key)) * dim;
  let base = tiled(dim, id.x);
  for (var f = 0u; f < dim; f++) {
    let mean = params.components + chosen + f;
    let scale = mean + params.components * dim;
    z[base + f * TILE4] = vec4<f32>(table[mean.x], table[mean.y], table[mean.z], table[mean.w])
      + vec4<f32>(table[scale.x], table[scale.y], table[scale.z], table[scale.w]) * source[base + f * TILE4];
  }
}

@compute @workgroup_size(64)
fn log_density(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x * 4u >= rows()) { return; }
  let dim = params.dim;
  let base = tiled(dim, id.x);
  // logsumexp in one sweep: the running maximum, and the sum relative to it.
  var top = vec4<f32>(-3.0e38);
  var sum = vec4<f32>(0.0);
  for (var k = 0u; k < params.components; k++) {
    var square = vec4<f32>(0.0);
    for (var f = 0u; f < dim; f++) {
      let mean = params.components + k * dim + f;
      let whitened = (source[base + f * TILE4] - table[mean]) * table[mean + params.components * dim];
      square += whitened * whitened;
    }
    let value = table[k] - 0.5 * square;
    let higher = select(top, value, value > top);
    sum = sum * accurate_exp(top - higher) + accurate_exp(value - higher);
    top = higher;
  }
  log_prob[id.x] = params.sign * log_det[id.x] + top + accurate_log(sum);
}
