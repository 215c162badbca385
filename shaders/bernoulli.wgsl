// Independent bits with given logits l: a decoder's likelihood.
//
//   sample     z[f, row] = 1 where u < sigma(l[f, row]), else 0      u = uniform number f of the row, as in box-uniform.wgsl
//   log_mass   log_prob[row] = sign log_det[row] - sum over f of ((1 - x) max(l, 0) + x max(-l, 0) + log(1 + e^-|l|))
//                            = sign log_det[row] + sum over f of (x log sigma(l) + (1 - x) log sigma(-l))         nats
//
// x may lie between 0 and 1: a grey value counts as the mean of bits. Outside [0, 1] the row's mass is -infinity; NaN stays NaN. Sums are taken
// in runs of 8 features, which are then added.
//
// Shapes      z, x (source), logits tiled [D, rows]; log_det, log_prob tiled [1, rows].
// Error       mass 8 + D / 8 units in the last place of sum |terms| (tests/cases/bernoulli.ts).
// Derivative  d l = (x - sigma(l)) d log_prob;  d x = l d log_prob;  d log_det = sign d log_prob.
// Paper       Kingma & Welling 2014, arXiv:1312.6114, appendix C.1.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/math.wgsl"
#import "lib/philox.wgsl"

struct Params {
  dim: u32,
  sign: f32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> logits: array<vec4<f32>>;
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
    let at = base + (id.y * 4u + lane) * TILE4;
    let l = logits[at];
    let bits = select(vec4<f32>(0.0), vec4<f32>(1.0), drawn[lane] < accurate_sigmoid(l));
    z[at] = select(bits, l, is_nan4(l));
  }
}

@compute @workgroup_size(64)
fn log_mass(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x * 4u >= rows()) { return; }
  let base = tiled(params.dim, id.x);
  let one = vec4<f32>(1.0);
  let none = vec4<f32>(0.0);
  var sum = none;
  var inside = one;
  var odd = none; // keeps a NaN of x
  for (var start = 0u; start < params.dim; start += 8u) {
    var part = none;
    let end = min(start + 8u, params.dim);
    for (var f = start; f < end; f++) {
      let value = source[base + f * TILE4];
      let l = logits[base + f * TILE4];
      part += (one - value) * select(none, l, l > none) + value * select(none, -l, l < none) + accurate_softplus(-abs(l));
      inside = select(none, inside, (value >= none) & (value <= one));
      odd += value;
    }
    sum += part;
  }
  let mass = params.sign * log_det[id.x] - sum;
  log_prob[id.x] = select(mass + accurate_log(inside), mass + odd, is_nan4(odd));
}
