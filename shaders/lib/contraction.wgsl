// The solution of x + g(x) = z for a contraction g, row by row: what residual-solve.wgsl says of the iteration. One invocation takes row groups g and g + 8
// of a tile, as lib/row-net.wgsl does.
//
// The file that imports this declares params with dim, width, nodes, memory, limit, patience, contraction, tolerance, buffers `source` (z) and `x`, and
// image(first, side_at, from), which leaves g of the features of `state` from `from` on in those from `width` on.
#import "lib/call.wgsl"
#import "lib/layout.wgsl"

const ULP2 = 1.4210855e-14; // 2^-46
const NEAR = 16.0; // |r| of four units in the last place

fn finite4(v: vec4<f32>) -> vec4<bool> { return abs_bits(v) < vec4<u32>(0x7f800000u); }

/// Solves for the rows of a group and of that eight further on; vectors of the iteration lie in `state` from `base_feature` on.
fn contract(group: u32, first: u32, side_at: u32, base_feature: u32) {
  let dim = params.dim;
  let rows_at = tiled(dim, group);
  let residual = params.width * TILE4; // where the network leaves g; trial - z is added there
  let base = base_feature * TILE4; // x, then r(x), the trial, the direction, the steps taken
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
    image(first, side_at, base_feature + 2u * dim);
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
      // Where a contraction is near 1 a step's progress hides in the rounding of r long before r is rounding itself.
      let patience = select(vec4<u32>(params.patience), vec4<u32>(min(params.patience, 8u)), best[g] <= NEAR * ULP2 * noise);
      open[g] = open[g] & !lost & !(improves & (size <= bound)) & ((misses[g] < patience) | vec4<bool>(params.memory == 1u));
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
