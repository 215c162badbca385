// Triangular solve by substitution: the inverse of an LU or QR linear layer, without the inverse matrix.
//
//   y[p] = (x[p] - shift[p] - sum over q < p of T[p, q] y[q]) / T[p, p]        p = 0 … D - 1, in order
//
// T is lower triangular. An upper one is solved backwards, which is the same in the other order: with REVERSE place p is feature
// D - 1 - p, and the host packs T in that order.
//
// Blocked as the autoregressive solve is: for 8 places at a time the sums over all earlier places run as in masked-linear (8 outputs of
// 8 rows in registers, runs of 24), and only the small triangle is sequential. One invocation owns its 8 rows, so there is no barrier.
// Quotients are products with a reciprocal of 36 bits (lib/split-product.wgsl), rounded once.
//
// Shapes      x, y tiled [D, rows]; weight f32 [ceil(D / 8), D, 8] in the order of the places, zero on and above the diagonal;
//             constants f32 [3, D] = shift, leading 12 bits of 1 / T[p, p], its remainder, in the order of the places.
// Cost        D (D + 1) / 2 multiply-adds a row, one dispatch.
// Error       2e-6 relative to max(1, |y|) on triangles of diagonal e^N(0, 1/4) and entries N(0, 1/(4 D)) (tests/cases/triangular-solve.ts).
//             Backward stable: y solves a system whose entries differ from T's by D units in the last place at most, whatever the condition of T.
// Derivative  with g = T^-T d y, a solve with the transposed triangle (this kernel, REVERSE flipped): d x = g, d shift = -g,
//             d T[p, q] = -sum over rows of g[p] y[q] for q <= p. In a log-det, d/d T[p, p] of log|T[p, p]| = 1 / T[p, p].
// Paper       Higham 2002, Accuracy and Stability of Numerical Algorithms, chapter 8, doi:10.1137/1.9780898718027.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/split-product.wgsl"

struct Params {
  features: u32, // D
}

const RUN = 24u; // inputs of one partial sum

override REVERSE: bool = false;

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> constants: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<vec4<f32>>;

/// Offset of a place's feature inside its tile.
fn offset(place: u32) -> u32 { return select(place, params.features - 1u - place, REVERSE) * TILE4; }

@compute @workgroup_size(8)
fn triangular_solve(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>) {
  let group = wg.x * TILE4 + lane.x; // this invocation's rows: group, and group + 8 of the same row tile
  if (group * 4u >= rows()) { return; }
  let dim = params.features;
  let base = tiled(dim, group);
  var sums: array<vec4<f32>, 16>; // place o of row group g in 2 o + g
  for (var first = 0u; first < dim; first += 8u) {
    for (var i = 0u; i < 16u; i++) { sums[i] = vec4<f32>(0.0); }
    let strip = first / 8u * dim * 2u;
    for (var start = 0u; start < first; start += RUN) {
      let end = min(start + RUN, first);
      var a0 = vec4<f32>(0.0); var b0 = vec4<f32>(0.0);
      var a1 = vec4<f32>(0.0); var b1 = vec4<f32>(0.0);
      var a2 = vec4<f32>(0.0); var b2 = vec4<f32>(0.0);
      var a3 = vec4<f32>(0.0); var b3 = vec4<f32>(0.0);
      var a4 = vec4<f32>(0.0); var b4 = vec4<f32>(0.0);
      var a5 = vec4<f32>(0.0); var b5 = vec4<f32>(0.0);
      var a6 = vec4<f32>(0.0); var b6 = vec4<f32>(0.0);
      var a7 = vec4<f32>(0.0); var b7 = vec4<f32>(0.0);
      for (var q = start; q < end; q++) {
        let at = base + offset(q);
        let y0 = y[at];
        let y1 = y[at + 8u];
        let w0 = weight[strip + 2u * q];
        let w1 = weight[strip + 2u * q + 1u];
        a0 = fma(vec4<f32>(w0.x), y0, a0); b0 = fma(vec4<f32>(w0.x), y1, b0);
        a1 = fma(vec4<f32>(w0.y), y0, a1); b1 = fma(vec4<f32>(w0.y), y1, b1);
        a2 = fma(vec4<f32>(w0.z), y0, a2); b2 = fma(vec4<f32>(w0.z), y1, b2);
        a3 = fma(vec4<f32>(w0.w), y0, a3); b3 = fma(vec4<f32>(w0.w), y1, b3);
        a4 = fma(vec4<f32>(w1.x), y0, a4); b4 = fma(vec4<f32>(w1.x), y1, b4);
        a5 = fma(vec4<f32>(w1.y), y0, a5); b5 = fma(vec4<f32>(w1.y), y1, b5);
        a6 = fma(vec4<f32>(w1.z), y0, a6); b6 = fma(vec4<f32>(w1.z), y1, b6);
        a7 = fma(vec4<f32>(w1.w), y0, a7); b7 = fma(vec4<f32>(w1.w), y1, b7);
      }
      sums[0] += a0; sums[1] += b0; sums[2] += a1; sums[3] += b1;
      sums[4] += a2; sums[5] += b2; sums[6] += a3; sums[7] += b3;
      sums[8] += a4; sums[9] += b4; sums[10] += a5; sums[11] += b5;
      sums[12] += a6; sums[13] += b6; sums[14] += a7; sums[15] += b7;
    }
    for (var o = 0u; o < min(8u, dim - first); o++) {
      let place = first + o;
      let at = base + offset(place);
      var s0 = vec4<f32>(0.0);
      var s1 = vec4<f32>(0.0);
      for (var q = first; q < place; q++) {
        let earlier = base + offset(q);
        let w = vec4<f32>(weight[strip + 2u * q + (o >> 2u)][o & 3u]);
        s0 = fma(w, y[earlier], s0);
        s1 = fma(w, y[earlier + 8u], s1);
      }
      let shift = constants[place];
      let leading = constants[dim + place];
      let rest = constants[2u * dim + place];
      y[at] = split_product(x[at] - shift - (sums[2u * o] + s0), leading, rest);
      y[at + 8u] = split_product(x[at + 8u] - shift - (sums[2u * o + 1u] + s1), leading, rest);
    }
  }
}
