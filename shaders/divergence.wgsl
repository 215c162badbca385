// Divergence of a vector field f that ends in a linear layer: the exact trace of its Jacobian, or Hutchinson's estimate.
//
//   trace            total[AT] = sum over b < D of scale[b] sum over k < H of weight[b H + k] slope[k] tangents[b H + k]
//                    tangent b counts in output b alone: D H multiply-adds, where the last layer's product would take D^2 H
//   probes           y[p D + f] = number f of probe p: normal or ±1, both with mean 0 and covariance I; or the unit vector p (PROBE)
//                    Philox counter = (row, f / 4, DOMAIN, 65536 STREAM + p), key = seed: one noise through a solve, however it is split.
//                    Where LARGEST is below 2^32 - 1, probes of which the word at f / 4 = 2^32 - 1 is larger are 0 (residual-series.wgsl).
//   probe_sum        total[AT] = FACTOR sum over j of tangents[j] image[j]        tangents the probes, image = J of each, FACTOR = 1 / probes: E = trace J
//
// SCALE: the layer's gate at this time (concat-squash). SLOPE: the tangents have not yet passed the last activation.
// Variance of one probe, S = (J + J^T) / 2: normal 2 sum of S_ij^2 over all i, j; ±1 the same without the diagonal. It falls as 1 / probes.
//
// Shapes      tangents, image, y tiled [D H, rows] or [P D, rows]; slope tiled [H, rows]; weight f32 [D, H]; scale f32 from element
//             scale_at on; total tiled [total_features, rows], written at feature AT.
// Error       trace and probe_sum (4 + D H / 24) and (4 + P D / 24) units in the last place of the sum of
//             sizes; probes 1e-6 relative (tests/cases/divergence.ts).
// Derivative  probe_sum, with g = d total: d image = FACTOR g tangents, d tangents = FACTOR g image. probes: none. trace: where gradients
//             are asked for it is the probe_sum of all unit vectors.
// Paper       Grathwohl et al. 2019, arXiv:1810.01367, section 3.1; Hutchinson 1989, doi:10.1080/03610918908812806; Griewank and
//             Walther 2008, Evaluating Derivatives, chapter 3 (vector forward mode).

#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/philox.wgsl"

struct Params {
  dim: u32,
  hidden: u32,         // H; of probes and probe_sum: the number of probes
  scale_at: u32,
  total_features: u32,
  total_at: u32,
  stream: u32,
  factor: f32,
  domain: u32,         // of the random numbers: 2 a solve's, 3 a residual layer's
  largest: u32,
}

const RUN = 24u; // as in masked-linear
const PROBE_UNIT = 0u;
const PROBE_SIGN = 1u; // 2: normals

override SCALE: bool = false;
override SLOPE: bool = false;
override PROBE: u32 = 0u;

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> tangents: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> image: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> slope: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> weight: array<f32>;
@group(0) @binding(6) var<storage, read> scale: array<f32>;
@group(0) @binding(7) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> total: array<vec4<f32>>;

@compute @workgroup_size(16)
fn trace(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x * 4u >= rows()) { return; }
  let hidden = params.hidden;
  var at = tiled(params.dim * hidden, id.x);
  let slopes = tiled(hidden, id.x);
  var w = 0u;
  var sum = vec4<f32>(0.0);
  for (var b = 0u; b < params.dim; b++) {
    var entry = vec4<f32>(0.0);
    for (var start = 0u; start < hidden; start += RUN) {
      var part = vec4<f32>(0.0);
      let end = min(start + RUN, hidden);
      for (var k = start; k < end; k++) {
        var value = tangents[at];
        if (SLOPE) { value *= slope[slopes + k * TILE4]; }
        part = fma(vec4<f32>(weight[w]), value, part);
        at += TILE4;
        w += 1u;
      }
      entry += part;
    }
    if (SCALE) { entry *= scale[params.scale_at + b]; }
    sum += entry;
  }
  total[tiled(params.total_features, id.x) + params.total_at * TILE4] = sum;
}

fn words(row: u32, counter: u32, probe: u32) -> vec4<u32> {
  return philox(vec4<u32>(row, counter, params.domain, (params.stream << 16u) + probe), vec2<u32>(whole(call.seed_low), whole(call.seed_high)));
}

fn drawn(row: u32, number: vec2<u32>) -> vec4<f32> {
  if (params.largest != 0xffffffffu && words(row, 0xffffffffu, number.y).x > params.largest) { return vec4<f32>(0.0); }
  if (PROBE == PROBE_UNIT) {
    return select(vec4<f32>(0.0), vec4<f32>(1.0), vec4<u32>(4u * number.x) + vec4<u32>(0u, 1u, 2u, 3u) == vec4<u32>(number.y));
  }
  let bits = words(row, number.x, number.y);
  if (PROBE == PROBE_SIGN) { return select(vec4<f32>(1.0), vec4<f32>(-1.0), bits >= vec4<u32>(0x80000000u)); }
  return normals(bits);
}

@compute @workgroup_size(16, 4)
fn probes(@builtin(global_invocation_id) id: vec3<u32>) {
  let quads = (params.dim + 3u) / 4u;
  if (id.x * 4u >= rows() || id.y >= quads * params.hidden) { return; }
  let number = vec2<u32>(id.y % quads, id.y / quads);
  let row = whole(call.first_row) + id.x * 4u;
  let values = transpose(mat4x4<f32>(drawn(row, number), drawn(row + 1u, number), drawn(row + 2u, number), drawn(row + 3u, number)));
  let f = number.x * 4u;
  let at = tiled(params.dim * params.hidden, id.x) + (number.y * params.dim + f) * TILE4;
  y[at] = values[0];
  if (f + 1u < params.dim) { y[at + TILE4] = values[1]; }
  if (f + 2u < params.dim) { y[at + 2u * TILE4] = values[2]; }
  if (f + 3u < params.dim) { y[at + 3u * TILE4] = values[3]; }
}

@compute @workgroup_size(64)
fn probe_sum(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x * 4u >= rows()) { return; }
  let all = params.dim * params.hidden;
  let base = tiled(all, id.x);
  var sum = vec4<f32>(0.0);
  for (var start = 0u; start < all; start += RUN) {
    var part = vec4<f32>(0.0);
    let end = min(start + RUN, all);
    for (var f = start; f < end; f++) { part = fma(tangents[base + f * TILE4], image[base + f * TILE4], part); }
    sum += part;
  }
  total[tiled(params.total_features, id.x) + params.total_at * TILE4] = params.factor * sum;
}
