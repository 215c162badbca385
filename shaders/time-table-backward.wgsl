// What the time makes of a vector field's parameters, for all evaluations of a solve at once, and its gradient by them.
//
//   time_table            table[e, i] = act_i(sum over j of times[e, j] weights[j, i])        act_i the sigmoid where gated[i] is 1, else none
//   time_table_backward   d_weights[j, i] += sum over e of times[e, j] act_i' d_table[e, i]
//
// times[e] are functions of the time of evaluation e: 1, then t or its waves. Entries that the table shares with no parameter have weights 0.
//
// Shapes      times f32 [evaluations, terms]; weights, d_weights f32 [terms, width]; gated f32 [width]; table, d_table f32 [evaluations, width].
// Error       1e-6 relative to max(1, |value|); backward (4 + evaluations) units in the last place of the sum of sizes
//             (tests/cases/time-table-backward.ts).
// Derivative  of time_table by weights: time_table_backward.
// Paper       Grathwohl et al. 2019, arXiv:1810.01367, appendix B.1.

#import "lib/math.wgsl"
#import "lib/slope.wgsl"
#import "lib/elements.wgsl"

struct Params {
  evaluations: u32,
  terms: u32,
  width: u32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> times: array<f32>;
@group(0) @binding(3) var<storage, read> weights: array<f32>;
@group(0) @binding(4) var<storage, read> gated: array<f32>;
@group(0) @binding(5) var<storage, read_write> table: array<f32>;
@group(0) @binding(6) var<storage, read> d_table: array<f32>;
@group(0) @binding(7) var<storage, read_write> d_weights: array<f32>;

fn weighed(e: u32, i: u32) -> f32 {
  var sum = 0.0;
  for (var j = 0u; j < params.terms; j++) { sum = fma(times[e * params.terms + j], weights[j * params.width + i], sum); }
  return sum;
}

@compute @workgroup_size(64)
fn time_table(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let at = shared_by(1u, wg, lane);
  if (at >= params.evaluations * params.width) { return; }
  let i = at % params.width;
  let sum = weighed(at / params.width, i);
  table[at] = select(sum, accurate_sigmoid(vec4<f32>(sum)).x, gated[i] == 1.0);
}

@compute @workgroup_size(64)
fn time_table_backward(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let at = shared_by(1u, wg, lane);
  if (at >= params.terms * params.width) { return; }
  let i = at % params.width;
  let j = at / params.width;
  var total = 0.0;
  for (var e = 0u; e < params.evaluations; e++) {
    var gradient = times[e * params.terms + j] * d_table[e * params.width + i];
    if (gated[i] == 1.0) { gradient *= bell(vec4<f32>(weighed(e, i))).x; }
    total += gradient;
  }
  d_weights[at] += total;
}
