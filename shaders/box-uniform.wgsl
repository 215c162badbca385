// Uniform base on a box.
//
//   sample        z[f, row] = low[f] + (high[f] - low[f]) u        u = uniform number f of the row: Philox counter = (row, f / 4, 0, 0), key =
//                 seed; one of 2^23 equally likely values inside (0, 1), see lib/philox.wgsl. low <= z <= high after rounding.
//   log_density   log_prob[row] = SIGN log_det[row] + constant     where low[f] <= z[f] <= high[f] for every f
//                               = -infinity                        elsewhere; NaN where a z[f] or the log-det is NaN
//                 constant = -sum over f of log(high[f] - low[f]), in float64 on the host    nats
//
// Shapes      z, source tiled [D, rows]; bounds f32 [2, D] = low, high; log_det, log_prob tiled [1, rows].
// Error       draws: 4e-7 relative to max(|low|, |high|, 1); density: one rounding (tests/cases/box-uniform.ts).
// Derivative  of the density: d log_det = SIGN d log_prob; d z = 0 inside the box.
// Paper       Salmon et al. 2011, doi:10.1145/2063384.2063405.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/philox.wgsl"

struct Params {
  dim: u32,
  sign: f32, // as in standard-normal
  constant: f32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> bounds: array<f32>;
@group(0) @binding(3) var<storage, read_write> z: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> log_det: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> log_prob: array<vec4<f32>>;

@compute @workgroup_size(16, 4)
fn sample(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x * 4u >= rows() || id.y * 4u >= params.dim) { return; }
  let row = whole(call.first_row) + id.x * 4u;
  let key = vec2<u32>(whole(call.seed_low), whole(call.seed_high));
  let drawn = uniforms_of_rows(row, id.y, key);
  let base = tiled(params.dim, id.x);
  for (var lane = 0u; lane < min(4u, params.dim - id.y * 4u); lane++) {
    let f = id.y * 4u + lane;
    let low = bounds[f];
    let high = bounds[params.dim + f];
    z[base + f * TILE4] = clamp(fma(vec4<f32>(high - low), drawn[lane], vec4<f32>(low)), vec4<f32>(low), vec4<f32>(high));
  }
}

@compute @workgroup_size(64)
fn log_density(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x * 4u >= rows()) { return; }
  let base = tiled(params.dim, id.x);
  let total = params.sign * log_det[id.x] + params.constant;
  var odd = total; // keeps the first NaN
  var indicator = vec4<f32>(1.0);
  for (var f = 0u; f < params.dim; f++) {
    let value = source[base + f * TILE4];
    indicator = select(vec4<f32>(0.0), indicator, (value >= vec4<f32>(bounds[f])) & (value <= vec4<f32>(bounds[params.dim + f])));
    odd = select(odd, value, is_nan4(value) & !is_nan4(odd));
  }
  log_prob[id.x] = select(total + accurate_log(indicator), odd, is_nan4(odd)); // log of 0 is -infinity
}
