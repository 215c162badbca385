// Statistics of a batch norm while it trains: those of the rows at hand normalise them, and move the running ones that a trained flow uses.
//
//   batch_moments           center = mean over rows of x;  v = mean over rows of (x − center)²;  offset = −½ log(v + eps)
//                           running mean ← (1 − m) running mean + m center;  running variance likewise, towards v n / (n − 1)
//   running_moments         center = running mean;  offset = −½ log(running variance + eps)
//   batch_moments_backward  y = d center / n − d offset (x − center) e^(2 offset) / n,  the gradient by x
//
// With FACTOR offset is (v + eps)^−½ itself, for a norm inside a net, whose gain may be negative; then d offset counts offset times as much, with
// offset² for e^(2 offset). With center and offset diagonal-backward.wgsl makes the constants of the layer, so its gradient reaches x by what is
// here. m is `momentum`, n the number of rows. Moments that are not finite leave the running ones alone, which lie in an order of their own: feature f
// is number order[f] of them.
//
// Shapes      source (x), y tiled [D, rows]; center, offset, d_center, d_offset f32 [D]; order u32 [D]; running f32, means from 0 and variances
//             from `variance_at`.
// Error       16 + tiles units in the last place of the mean of |x|, and of v (tests/cases/batch-norm-backward.ts).
// Paper       Ioffe & Szegedy 2015, arXiv:1502.03167; between the layers of a flow: Dinh et al. 2017, arXiv:1605.08803, appendix E.

#import "lib/rows-backward.wgsl"
#import "lib/layout.wgsl"
#import "lib/math.wgsl"

struct Params {
  features: u32,
  variance_at: u32,
  eps: f32,
  momentum: f32,
}

override FACTOR: bool = false;

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> running: array<f32>;
@group(0) @binding(4) var<storage, read_write> center: array<f32>;
@group(0) @binding(5) var<storage, read_write> offset: array<f32>;
@group(0) @binding(6) var<storage, read> settled: array<f32>;
@group(0) @binding(7) var<storage, read> at_center: array<f32>;
@group(0) @binding(8) var<storage, read> at_offset: array<f32>;
@group(0) @binding(9) var<storage, read> d_center: array<f32>;
@group(0) @binding(10) var<storage, read> d_offset: array<f32>;
@group(0) @binding(11) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(12) var<storage, read> order: array<u32>;

fn offset_of(variance: f32) -> f32 {
  if (FACTOR) { return 1.0 / sqrt(variance + params.eps); }
  return -0.5 * accurate_log(vec4<f32>(variance + params.eps)).x;
}

/// Mean over rows of (x − middle)^power of feature f, power 1 or 2, tile by tile.
fn mean_power(f: u32, middle: f32, squared: bool) -> f32 {
  let groups = (rows() + 3u) / 4u;
  var sum = 0.0;
  for (var first = 0u; first < groups; first += TILE4) {
    let end = min(first + TILE4, groups);
    var at = tiled(params.features, first) + f * TILE4;
    var part = vec4<f32>(0.0);
    for (var group = first; group < end; group++) {
      let away = select(vec4<f32>(0.0), source[at] - middle, present(group));
      part += select(away, away * away, squared);
      at++;
    }
    sum += dot(part, vec4<f32>(1.0));
  }
  return sum / f32(rows());
}

fn is_finite(v: f32) -> bool { return (bitcast<u32>(v) & 0x7f800000u) != 0x7f800000u; }

@compute @workgroup_size(64)
fn batch_moments(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.x;
  if (f >= params.features) { return; }
  // About the first row, so that a mean far from 0 costs no bits.
  let first = source[tiled(params.features, 0u) + f * TILE4].x;
  let mean = first + mean_power(f, first, false);
  let variance = mean_power(f, mean, true);
  center[f] = mean;
  offset[f] = offset_of(variance);
  let n = f32(rows());
  let unbiased = variance * n / max(1.0, n - 1.0);
  if (!is_finite(mean) || !is_finite(unbiased)) { return; }
  let keep = 1.0 - params.momentum;
  let at = order[f];
  running[at] = keep * running[at] + params.momentum * mean;
  running[params.variance_at + at] = keep * running[params.variance_at + at] + params.momentum * unbiased;
}

@compute @workgroup_size(64)
fn running_moments(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.x;
  if (f >= params.features) { return; }
  let at = order[f];
  center[f] = settled[at];
  offset[f] = offset_of(settled[params.variance_at + at]);
}

@compute @workgroup_size(16, 4)
fn batch_moments_backward(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x * 4u >= rows() || id.y >= params.features) { return; }
  let f = id.y;
  let at = tiled(params.features, id.x) + f * TILE4;
  let n = f32(rows());
  let off = at_offset[f];
  var factor = off * off * off;
  if (!FACTOR) { factor = accurate_exp(vec4<f32>(2.0 * off)).x; }
  y[at] = (vec4<f32>(d_center[f]) - d_offset[f] * factor * (source[at] - at_center[f])) / n;
}
