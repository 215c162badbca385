// Inverse of a residual layer: x with x + g(x) = z, |g(x) - g(y)| <= L |x - y|, L < 1.
//
//   r(x) = x + g(x) - z
//   plain step   x - r          shrinks |r| by L at least: r(x - r) = g(x - r) - g(x)
//   Broyden      x - B^-1 r     B = I at first, then the secant update after each step taken, from the steps alone (MEMORY of them):
//                               d = -r;  d += s_{j+1} (s_j . d) / |s_j|^2 for j < n;  d /= 1 - (s_n . d) / |s_n|^2
//
// Each evaluation of g tries one step, row by row. A Broyden step that does not shrink |r|^2 by L is taken back; the next one from
// there is plain, with B = I. A plain step is always taken. So two evaluations shrink |r| by L at the least, whatever g does, and
// superlinearly in practice. x is the point with the least |r|, and |x - x*| <= |r| / (1 - L). A row is done
//   - where |r| <= TOLERANCE max(1, |x|), or |r| is a unit in the last place of (x, z): its own rounding;
//   - where `patience` evaluations in a row, with plain steps among them, did not shrink the least |r|^2 by L in all: exact arithmetic
//     would, so what is left of r is rounding;
//   - after `limit` evaluations.
// MEMORY 1 leaves plain steps alone, without patience: the fixed-point iteration of the papers. Lanes stop each for themselves, so a row does
// not depend on its neighbours; one whose z holds a NaN, an infinity or numbers whose squares float32 cannot hold is NaN.
//
// Shapes      source (z), x tiled [dim, rows]; state tiled [nodes, rows], nodes = 2 width + (4 + memory) dim; the network as in
//             lib/row-net.wgsl; side tiled [side_features, rows].
// Error       that of rounding in g's own sums, times up to 1 / (1 - L): 2e-6 / (1 - L) relative to max(1, |x|) where the Jacobian is
//             near its bound, 2e-6 on random nets (tests/cases/residual-solve.ts).
// Derivative  d z = (I + J)^-T d x, J = dg/dx at the solution, by the same iteration on x + J^T x; d theta = -(d z)^T dg/d theta.
// Paper       Behrmann et al. 2019, arXiv:1811.00995, algorithm 1; Broyden 1965, doi:10.1090/S0025-5718-1965-0198670-6; Kelley 1995,
//             doi:10.1137/1.9781611970944, section 7.3 (the update from the steps alone).

#import "lib/row-net.wgsl"

const ULP2 = 1.4210855e-14; // 2^-46

struct Params {
  dim: u32,
  layers: u32,
  width: u32,
  nodes: u32,
  side_features: u32,
  memory: u32,
  limit: u32,
  patience: u32,
  contraction: f32, // L
  tolerance: f32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(7) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> x: array<vec4<f32>>;

fn finite4(v: vec4<f32>) -> vec4<bool> { return abs_bits(v) < vec4<u32>(0x7f800000u); }

@compute @workgroup_size(8)
fn residual_solve(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>) {
  let group = wg.x * TILE4 + lane.x;
  if (group * 4u >= rows()) { return; }
  let dim = params.dim;
  let first = tiled(params.nodes, group);
  let side_at = tiled(params.side_features, group);
  let rows_at = tiled(dim, group);
  let residual = params.width * TILE4; // where the network leaves g; trial - z is added there
  let base = 2u * params.width * TILE4; // x, then r(x), the trial, the direction, the steps taken
  let stride = dim * TILE4;
  let steps = base + 4u * stride;
  let lanes = vec4<u32>(0u, 1u, 2u, 3u);
  var open: array<vec4<bool>, 2>;
  var plain: array<vec4<bool>, 2>;
  var best: array<vec4<f32>, 2>; // the least |r|^2, that of x
  var held: array<vec4<f32>, 2>; // |r|^2 where the step being tried began
  var mark: array<vec4<f32>, 2>; // the least |r|^2 when it last shrank by L
  var misses: array<vec4<u32>, 2>;
  var last: array<vec4<u32>, 2>; // n: place of the step being tried
  for (var g = 0u; g < 2u; g++) {
    open[g] = (group + 8u * g) * 4u + lanes < vec4<u32>(rows());
    plain[g] = vec4<bool>(true);
    best[g] = vec4<f32>(0.0);
    held[g] = vec4<f32>(0.0);
    mark[g] = vec4<f32>(0.0);
    misses[g] = vec4<u32>(0u);
    last[g] = vec4<u32>(0u);
    for (var f = 0u; f < dim; f++) {
      state[first + 8u * g + base + 2u * stride + f * TILE4] = source[rows_at + 8u * g + f * TILE4];
    }
  }
  for (var evaluation = 0u; evaluation < params.limit; evaluation++) {
    evaluate(first, side_at, 2u * params.width + 2u * dim, false);
    var going = false;
    for (var g = 0u; g < 2u; g++) {
      let at = first + 8u * g;
      let point = at + base;
      let trial = point + 2u * stride;
      let direction = point + 3u * stride;
      var size = vec4<f32>(0.0);
      var reach = vec4<f32>(0.0);
      var noise = vec4<f32>(0.0);
      for (var f = 0u; f < dim; f++) {
        let t = state[trial + f * TILE4];
        let z = source[rows_at + 8u * g + f * TILE4];
        let r = (t - z) + state[at + residual + f * TILE4];
        state[at + residual + f * TILE4] = r;
        size += r * r;
        reach += t * t;
        noise += t * t + z * z;
      }
      let starts = vec4<bool>(evaluation == 0u);
      let sound = open[g] & finite4(size);
      let lost = open[g] & !sound & starts; // where even the residual of z is no number, the row is none
      let improves = sound & (starts | (size < best[g]));
      let gains = sound & (starts | (size <= params.contraction * mark[g]));
      mark[g] = select(mark[g], size, gains);
      misses[g] = select(misses[g] + 1u, vec4<u32>(0u), gains);
      best[g] = select(best[g], size, improves);
      let taken = sound & (starts | plain[g] | (size <= params.contraction * held[g]));
      held[g] = select(held[g], size, taken);
      let n = last[g];
      let learns = taken & !starts & (n + 1u < vec4<u32>(params.memory));
      let bound = max(ULP2 * noise, params.tolerance * params.tolerance * max(vec4<f32>(1.0), reach));
      open[g] = open[g] & !lost & !(improves & (size <= bound)) & ((misses[g] < vec4<u32>(params.patience)) | vec4<bool>(params.memory == 1u));
      for (var f = 0u; f < dim; f++) {
        let p = f * TILE4;
        let value = select(state[point + p], state[trial + p], taken);
        let r = select(state[point + stride + p], state[at + residual + p], taken);
        state[point + p] = value;
        state[point + stride + p] = r;
        state[direction + p] = -r;
        if (any(improves | lost)) {
          let kept = select(x[rows_at + 8u * g + p], state[trial + p], improves);
          x[rows_at + 8u * g + p] = select(kept, bitcast<vec4<f32>>(bitcast<vec4<u32>>(size) | vec4<u32>(0x7fc00000u)), lost);
        }
      }
      if (!any(open[g])) { continue; }
      going = true;
      for (var j = 0u; j + 1u < params.memory; j++) {
        let passes = learns & open[g] & (vec4<u32>(j) < n);
        let closes = learns & open[g] & (vec4<u32>(j) == n);
        if (!any(passes | closes)) { break; }
        var dot = vec4<f32>(0.0);
        var length = vec4<f32>(0.0);
        for (var f = 0u; f < dim; f++) {
          let s = state[at + steps + j * stride + f * TILE4];
          dot += s * state[direction + f * TILE4];
          length += s * s;
        }
        let q = dot / length;
        for (var f = 0u; f < dim; f++) {
          let d = state[direction + f * TILE4];
          let next = state[at + steps + (j + 1u) * stride + f * TILE4];
          state[direction + f * TILE4] = select(select(d, d / (1.0 - q), closes), d + next * q, passes);
        }
      }
      last[g] = select(vec4<u32>(0u), n + 1u, learns);
      plain[g] = !learns;
      for (var f = 0u; f < dim; f++) {
        let d = state[direction + f * TILE4];
        for (var j = 0u; j < params.memory; j++) {
          let here = last[g] == vec4<u32>(j);
          if (any(here)) {
            let slot = at + steps + j * stride + f * TILE4;
            state[slot] = select(state[slot], d, here);
          }
        }
        state[trial + f * TILE4] = state[point + f * TILE4] + d;
      }
    }
    if (!going) { break; }
  }
}
