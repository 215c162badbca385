// Uniform base on the box [low, high]^D.
//
//   sample        z[f, row] = low + (high - low) u; Philox counter = (row, f / 4, 2, 0), key = seed (stream 2)
//   log_density   log_prob[row] = SIGN log_det[row] - D log(high - low) inside, minus infinity outside        nats
//
// Shapes      z tiled [D, rows]; log_det, log_prob tiled [1, rows]; log_volume = D log(high - low), by the host in float64.
// Error       draws: 2e-7 relative to max(1, |z|); density: 1e-7 relative to max(1, |log density|) (tests/cases/uniform.ts).
// Derivative  d log_det = SIGN d log_prob; d z = 0.
// Paper       Salmon et al. 2011, doi:10.1145/2063384.2063405.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/philox.wgsl"

struct Params {
  dim: u32,
  low: f32,
  high: f32,
  log_volume: f32,
  sign: f32, // as in standard-normal
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read_write> z: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> log_det: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> log_prob: array<vec4<f32>>;

fn draw(row: u32, part: u32) -> vec4<f32> {
  let key = vec2<u32>(whole(call.seed_low), whole(call.seed_high));
  let z = params.low + (params.high - params.low) * uniform01(philox(vec4<u32>(row, part, 2u, 0u), key));
  return select(z, vec4<f32>(params.high), z > vec4<f32>(params.high));
}

@compute @workgroup_size(16, 4)
fn sample(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.y * 4u;
  if (id.x * 4u >= rows() || f >= params.dim) { return; }
  let row = whole(call.first_row) + id.x * 4u;
  var drawn = transpose(mat4x4<f32>(draw(row, id.y), draw(row + 1u, id.y), draw(row + 2u, id.y), draw(row + 3u, id.y)));
  let at = tiled(params.dim, id.x) + f * TILE4;
  for (var i = 0u; i < min(4u, params.dim - f); i++) { z[at + i * TILE4] = drawn[i]; }
}

@compute @workgroup_size(64)
fn log_density(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x * 4u >= rows()) { return; }
  let base = tiled(params.dim, id.x);
  var outside = vec4<bool>(false);
  var nan = vec4<f32>(0.0); // or NaN where z holds one
  for (var f = 0u; f < params.dim; f++) {
    let value = source[base + f * TILE4];
    outside = outside | (value < vec4<f32>(params.low)) | (value > vec4<f32>(params.high));
    nan = select(nan, value, is_nan4(value));
  }
  let density = accurate_log(select(vec4<f32>(1.0), vec4<f32>(0.0), outside));
  log_prob[id.x] = params.sign * log_det[id.x] - params.log_volume + density + nan;
}
