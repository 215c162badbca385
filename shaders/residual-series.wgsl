// log det(I + J), J = dg/dx of a network with |J| <= L < 1, from its power series.
//
//   log_det[row] += SIGN sum over probes v, k = 1 … terms of coefficient[k] [word < threshold[k]] v . J^k v        nats
//
// Fixed series          coefficient[k] = (-1)^(k + 1) / k, every term counts. What is cut off is below D L^(terms + 1) / ((terms + 1) (1 - L)).
// Russian roulette      term k counts where a random word of the row and probe is below 2^32 P(N >= k), and its coefficient is divided by that
//                       probability, as the float64 host computed both: unbiased up to term `terms`, beyond which nothing is drawn.
// Probes                unit vectors, whose v . J^k v sum to the exact trace; or signs or normals, whose mean is it (coefficients / probes):
//                       E v v^T = I. Philox counter = (row, feature / 4, 3, 65536 STREAM + probe), key = seed; the word of N has feature / 4 = 2^32 - 1.
//
// One invocation takes 8 rows through all probes and terms, and stops at the last term that any of its rows counts: a roulette costs
// what it draws. A row's result depends on its own words alone.
//
// Shapes      source (x) tiled [dim, rows]; series u32 [terms, 2] = coefficient as bits, largest word that counts; log_det tiled [1, rows];
//             state tiled [nodes, rows], nodes = 2 width + dim + inputs of all layers; the network as in lib/row-net.wgsl.
// Error       5e-7 relative to max(1, |log det|) beside the same series in float64, L 0.8 (tests/cases/residual-series.ts); bias and variance as an
//             estimate of the log-det: docs/flows/residual.md.
// Derivative  by the identity d log det(I + J) = tr((I + J)^-1 dJ) = sum over k of (-1)^k v^T J^k dJ v: the same probes and terms, the
//             row vector v^T J^k from the backward pass (the Neumann series of arXiv:1906.02735, theorem 2).
// Paper       Behrmann et al. 2019, arXiv:1811.00995, section 3.2; Chen et al. 2019, arXiv:1906.02735, section 3.1; Hutchinson 1989,
//             doi:10.1080/03610918908812806.

#import "lib/row-net.wgsl"
#import "lib/philox.wgsl"

const PROBE_UNIT = 0u;
const PROBE_NORMAL = 2u; // 1: signs

struct Params {
  dim: u32,
  layers: u32,
  width: u32,
  nodes: u32,
  side_features: u32,
  probes: u32,
  terms: u32,
  stream: u32,
  sign: f32,
}

override PROBE: u32 = 0u;

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(7) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read> series: array<u32>;
@group(0) @binding(9) var<storage, read_write> log_det: array<vec4<f32>>;

fn words(row: u32, counter: u32, probe: u32) -> vec4<u32> {
  return philox(vec4<u32>(row, counter, 3u, (params.stream << 16u) + probe), vec2<u32>(whole(call.seed_low), whole(call.seed_high)));
}

/// Features 4 i … 4 i + 3 of a random probe, a column for each of the rows row … row + 3.
fn drawn(row: u32, i: u32, probe: u32) -> mat4x4<f32> {
  var result: mat4x4<f32>;
  for (var lane = 0u; lane < 4u; lane++) {
    let bits = words(row + lane, i, probe);
    if (PROBE == PROBE_NORMAL) { result[lane] = normals(bits); } else {
      result[lane] = select(vec4<f32>(1.0), vec4<f32>(-1.0), bits >= vec4<u32>(0x80000000u));
    }
  }
  return transpose(result);
}

@compute @workgroup_size(8)
fn residual_series(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>) {
  let group = wg.x * TILE4 + lane.x;
  if (group * 4u >= rows()) { return; }
  let dim = params.dim;
  let first = tiled(params.nodes, group);
  let side_at = tiled(params.side_features, group);
  let rows_at = tiled(dim, group);
  let out = first + params.width * TILE4;
  let probe_at = first + 2u * params.width * TILE4; // x at first
  for (var i = 0u; i < 2u * dim; i++) {
    let at = (i / 2u) * TILE4 + (i % 2u) * 8u;
    state[probe_at + at] = source[rows_at + at];
  }
  evaluate(first, side_at, 2u * params.width, false, 0u);
  var total: array<vec4<f32>, 2>;
  var estimate: array<vec4<f32>, 2>;
  var chance: array<vec4<u32>, 2>;
  for (var probe = 0u; probe < params.probes; probe++) {
    for (var g = 0u; g < 2u; g++) {
      estimate[g] = vec4<f32>(0.0);
      let row = whole(call.first_row) + (group + 8u * g) * 4u;
      for (var i = 0u; i * 4u < dim; i++) {
        var columns: mat4x4<f32>;
        if (PROBE != PROBE_UNIT) { columns = drawn(row, i, probe); }
        for (var c = 0u; c < 4u && i * 4u + c < dim; c++) {
          let f = i * 4u + c;
          state[probe_at + 8u * g + f * TILE4] = select(columns[c], vec4<f32>(f32(f == probe)), PROBE == PROBE_UNIT);
        }
      }
      for (var r = 0u; r < 4u; r++) { chance[g][r] = words(row + r, 0xffffffffu, probe).x; }
    }
    var from_feature = 2u * params.width;
    for (var k = 0u; k < params.terms; k++) {
      let largest = vec4<u32>(series[2u * k + 1u]);
      if (!any(chance[0] <= largest) && !any(chance[1] <= largest)) { break; }
      evaluate(first, side_at, from_feature, true, 0u);
      from_feature = params.width;
      for (var g = 0u; g < 2u; g++) {
        var dot = vec4<f32>(0.0);
        for (var f = 0u; f < dim; f++) { dot += state[probe_at + 8u * g + f * TILE4] * state[out + 8u * g + f * TILE4]; }
        estimate[g] += select(vec4<f32>(0.0), bitcast<f32>(series[2u * k]) * dot, chance[g] <= largest);
      }
    }
    for (var g = 0u; g < 2u; g++) { total[g] += estimate[g]; }
  }
  log_det[group] += params.sign * total[0];
  if ((group + 8u) * 4u < rows()) { log_det[group + 8u] += params.sign * total[1]; }
}
