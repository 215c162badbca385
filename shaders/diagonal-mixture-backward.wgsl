// Derivatives of the log-density of a mixture of diagonal normals (diagonal-mixture.wgsl), and its table where that is learned.
//
// With u[k, f] = (z[f] − mean[k, f]) inverse[k, f], responsibilities r[k] = softmax(constant[k] − ½ Σ u²) and G the gradient by log_prob:
//
//   mixture_shares           share[k] = G r[k]                        d z[f] = −Σ over k of share[k] u[k, f] inverse[k, f]
//   mixture_moments          d mean[k, f] += Σ over rows of share[k] u inverse,   d inverse[k, f] −= Σ over rows of share[k] u² / inverse
//                            and d constant[k] = Σ over rows of share[k], by column_sums
//   mixture_table            constant[k] = logits[k] − logsumexp(logits) − Σ over f of log_scales[k, f] − (D / 2) log 2π, means,
//                            inverse = e^−log_scales
//   mixture_table_backward   d logits[k] += d constant[k] − π[k] Σ d constant,  d log_scales[k, f] −= d constant[k] + d inverse inverse
//
// Shapes      source (z), d_source tiled [D, rows]; shares tiled [K, rows]; d_log_prob tiled [1, rows]; table, d_table f32 [K + 2 K D] =
//             constant, mean, inverse; logits, d_logits f32 [K]; means, log_scales and their gradients f32 [K, D].
// Error       shares and d z 1e-5 relative to max(1, |value|) for components about three deviations apart; sums 16 + tiles units in the last
//             place of Σ |terms| (tests/cases/diagonal-mixture-backward.ts).
// Paper       Papamakarios et al. 2017, arXiv:1705.07057, section 3.1.

#import "lib/rows-backward.wgsl"
#import "lib/layout.wgsl"
#import "lib/math.wgsl"

struct Params {
  dim: u32,
  components: u32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> made: array<f32>;
@group(0) @binding(4) var<storage, read> d_log_prob: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> shares: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> d_source: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read> weighted: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> d_table: array<f32>;
@group(0) @binding(9) var<storage, read> logits: array<f32>;
@group(0) @binding(10) var<storage, read> means: array<f32>;
@group(0) @binding(11) var<storage, read> log_scales: array<f32>;
@group(0) @binding(12) var<storage, read_write> table: array<f32>;
@group(0) @binding(13) var<storage, read> d_made: array<f32>;
@group(0) @binding(14) var<storage, read_write> d_logits: array<f32>;
@group(0) @binding(15) var<storage, read_write> d_means: array<f32>;
@group(0) @binding(16) var<storage, read_write> d_log_scales: array<f32>;

@compute @workgroup_size(64)
fn mixture_shares(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x * 4u >= rows()) { return; }
  let dim = params.dim;
  let components = params.components;
  let base = tiled(dim, id.x);
  let share_at = tiled(components, id.x);
  var top = vec4<f32>(-3.0e38);
  for (var k = 0u; k < components; k++) {
    var square = vec4<f32>(0.0);
    for (var f = 0u; f < dim; f++) {
      let mean = components + k * dim + f;
      let u = (source[base + f * TILE4] - made[mean]) * made[mean + components * dim];
      square = fma(u, u, square);
    }
    let value = made[k] - 0.5 * square;
    shares[share_at + k * TILE4] = value;
    top = select(top, value, value > top);
  }
  var sum = vec4<f32>(0.0);
  for (var k = 0u; k < components; k++) {
    let e = accurate_exp(shares[share_at + k * TILE4] - top);
    shares[share_at + k * TILE4] = e;
    sum += e;
  }
  let scale = d_log_prob[id.x] / sum;
  for (var k = 0u; k < components; k++) { shares[share_at + k * TILE4] *= scale; }
  for (var f = 0u; f < dim; f++) {
    var total = vec4<f32>(0.0);
    for (var k = 0u; k < components; k++) {
      let mean = components + k * dim + f;
      let inverse = made[mean + components * dim];
      total = fma(shares[share_at + k * TILE4] * (inverse * inverse), made[mean] - source[base + f * TILE4], total);
    }
    d_source[base + f * TILE4] = total;
  }
}

@compute @workgroup_size(64)
fn mixture_moments(@builtin(global_invocation_id) id: vec3<u32>) {
  let dim = params.dim;
  let all = params.components * dim;
  if (id.x >= all) { return; }
  let k = id.x / dim;
  let f = id.x % dim;
  let mean_at = params.components + id.x;
  let mean = made[mean_at];
  let groups = (rows() + 3u) / 4u;
  var first_moment = 0.0;
  var second_moment = 0.0;
  for (var first = 0u; first < groups; first += TILE4) {
    var at = tiled(dim, first) + f * TILE4;
    var share_at = tiled(params.components, first) + k * TILE4;
    var s = vec4<f32>(0.0);
    var t = vec4<f32>(0.0);
    for (var group = first; group < min(first + TILE4, groups); group++) {
      let difference = source[at] - mean;
      let part = select(vec4<f32>(0.0), weighted[share_at] * difference, present(group));
      s += part;
      t += select(vec4<f32>(0.0), part * difference, present(group));
      at++;
      share_at++;
    }
    first_moment += dot(s, vec4<f32>(1.0));
    second_moment += dot(t, vec4<f32>(1.0));
  }
  let inverse = made[mean_at + all];
  d_table[mean_at] += inverse * inverse * first_moment;
  d_table[mean_at + all] -= inverse * second_moment;
}

/// log π[k].
fn log_weight(k: u32) -> f32 {
  var top = logits[0];
  for (var j = 1u; j < params.components; j++) { top = select(top, logits[j], logits[j] > top); }
  var sum = 0.0;
  for (var j = 0u; j < params.components; j++) { sum += accurate_exp(vec4<f32>(logits[j] - top)).x; }
  return (logits[k] - top) - accurate_log(vec4<f32>(sum)).x;
}

@compute @workgroup_size(64)
fn mixture_table(@builtin(global_invocation_id) id: vec3<u32>) {
  let k = id.x;
  let dim = params.dim;
  let all = params.components * dim;
  if (k >= params.components) { return; }
  var sum = 0.0;
  for (var f = 0u; f < dim; f++) {
    let i = k * dim + f;
    sum += log_scales[i];
    table[params.components + i] = means[i];
    table[params.components + all + i] = accurate_exp(vec4<f32>(-log_scales[i])).x;
  }
  table[k] = log_weight(k) - sum - 0.9189385 * f32(dim); // ½ log 2π
}

@compute @workgroup_size(64)
fn mixture_table_backward(@builtin(global_invocation_id) id: vec3<u32>) {
  let k = id.x;
  let dim = params.dim;
  let all = params.components * dim;
  if (k >= params.components) { return; }
  var total = 0.0;
  for (var j = 0u; j < params.components; j++) { total += d_made[j]; }
  d_logits[k] += d_made[k] - accurate_exp(vec4<f32>(log_weight(k))).x * total;
  for (var f = 0u; f < dim; f++) {
    let i = k * dim + f;
    let mean_at = params.components + i;
    d_means[i] += d_made[mean_at];
    d_log_scales[i] -= d_made[k] + d_made[mean_at + all] * made[mean_at + all];
  }
}
