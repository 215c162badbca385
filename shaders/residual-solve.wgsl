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
//     would, so what is left of r is rounding; eight are enough where |r| is within four units in the last place of (x, z);
//   - after `limit` evaluations.
// MEMORY 1 leaves plain steps alone, without patience: the fixed-point iteration of the papers. Lanes stop each for themselves, so a row does
// not depend on its neighbours; one whose z holds a NaN, an infinity or numbers whose squares float32 cannot hold is NaN.
//
// Shapes      source (z), x tiled [dim, rows]; state tiled [nodes, rows], nodes = 2 width + (4 + memory) dim; the network as in
//             lib/row-net.wgsl; side tiled [side_features, rows].
// Error       that of rounding in g's own sums, times up to 1 / (1 - L): 2e-6 / (1 - L) relative to max(1, |x|) where the Jacobian is
//             near its bound, 2e-6 on random nets (tests/cases/residual-solve.ts).
// Derivative  d z = (I + J)^-T d x, J = dg/dx at the solution, by the same iteration (residual-solve-backward.wgsl); d theta = -(d z)^T dg/d theta.
// Paper       Behrmann et al. 2019, arXiv:1811.00995, algorithm 1; Broyden 1965, doi:10.1090/S0025-5718-1965-0198670-6; Kelley 1995,
//             doi:10.1137/1.9781611970944, section 7.3 (the update from the steps alone).

#import "lib/row-net.wgsl"
#import "lib/contraction.wgsl"

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

fn image(first: u32, side_at: u32, from_feature: u32) { evaluate(first, side_at, from_feature, false, 0u); }

@compute @workgroup_size(8)
fn residual_solve(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>) {
  let group = wg.x * TILE4 + lane.x;
  if (group * 4u >= rows()) { return; }
  contract(group, tiled(params.nodes, group), tiled(params.side_features, group), 2u * params.width);
}
