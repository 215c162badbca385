// Gradients by the weights of a linear layer, and by what is added to or summed over every row.
//
//   weight_gradient   d_weight[k, o] += Σ over rows of x[k, row] · d_y[o, row]        for k in range(o)
//   column_sums       total[f] += factor · Σ over rows of terms[at + f, row]
//
// weight_gradient: one invocation takes 4 inputs by 4 outputs in registers and walks the rows, four at a time; per step it loads 4 vec4
// of x and 4 of d_y for 16 vec4 multiply-adds. Blocks of 4 × 4 outside the run of inputs that the masks let through are left as they
// are. Sums run over one tile of 64 rows, then tiles are added in order, so the error grows with the number of tiles. `blocks`: the
// layer was applied to several inputs side by side (masked-linear.wgsl); their gradients add up.
// Rows of the last group beyond the batch count as zero whatever they hold.
//
// Shapes      x, d_y, terms tiled [features, rows], read from feature x_at, y_at, at; d_weight f32 [outputs / 8, inputs, 8]; total f32.
// Error       16 + tiles units in the last place of Σ |x d_y| at most (tests/cases/linear-backward.ts).
// Derivative  bilinear: by x another masked_linear with d_weight's cotangent as weights, by d_y likewise.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"

struct Params {
  inputs: u32,
  outputs: u32,
  x_features: u32,
  x_at: u32,
  y_features: u32,
  y_at: u32,
  blocks: u32,
}

struct SumParams {
  features: u32,
  source_features: u32,
  at: u32,
  factor: f32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> sum_params: SumParams;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> d_y: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> ranges: array<u32>;
@group(0) @binding(5) var<storage, read_write> d_weight: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> terms: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> total: array<f32>;

/// Which of the four rows of a group are in the batch.
fn present(group: u32) -> vec4<bool> { return (vec4<u32>(group * 4u) + vec4<u32>(0u, 1u, 2u, 3u)) < vec4<u32>(rows()); }

@compute @workgroup_size(8, 4)
fn weight_gradient(@builtin(global_invocation_id) id: vec3<u32>) {
  let k = id.x * 4u;
  let o = id.y * 4u;
  if (k >= params.inputs || o >= params.outputs) { return; }
  let strip = o / 8u;
  if (k >= ranges[strip * 2u + 1u] || k + 4u <= ranges[strip * 2u]) { return; }
  let groups = (rows() + 3u) / 4u;
  // Inputs and outputs beyond the last are read again from the last, and not written.
  let k1 = min(k + 1u, params.inputs - 1u) - k;
  let k2 = min(k + 2u, params.inputs - 1u) - k;
  let k3 = min(k + 3u, params.inputs - 1u) - k;
  let o1 = min(o + 1u, params.outputs - 1u) - o;
  let o2 = min(o + 2u, params.outputs - 1u) - o;
  let o3 = min(o + 3u, params.outputs - 1u) - o;
  var t0 = vec4<f32>(0.0);
  var t1 = vec4<f32>(0.0);
  var t2 = vec4<f32>(0.0);
  var t3 = vec4<f32>(0.0);
  for (var part = 0u; part < params.blocks; part++) {
    let x_at = params.x_at + part * params.inputs + k;
    let y_at = params.y_at + part * params.outputs + o;
    for (var first = 0u; first < groups; first += TILE4) {
      let end = min(first + TILE4, groups);
      var a = tiled(params.x_features, first) + x_at * TILE4;
      var b = tiled(params.y_features, first) + y_at * TILE4;
      var s00 = vec4<f32>(0.0); var s01 = vec4<f32>(0.0); var s02 = vec4<f32>(0.0); var s03 = vec4<f32>(0.0);
      var s10 = vec4<f32>(0.0); var s11 = vec4<f32>(0.0); var s12 = vec4<f32>(0.0); var s13 = vec4<f32>(0.0);
      var s20 = vec4<f32>(0.0); var s21 = vec4<f32>(0.0); var s22 = vec4<f32>(0.0); var s23 = vec4<f32>(0.0);
      var s30 = vec4<f32>(0.0); var s31 = vec4<f32>(0.0); var s32 = vec4<f32>(0.0); var s33 = vec4<f32>(0.0);
      for (var group = first; group < end; group++) {
        var x0 = x[a]; var x1 = x[a + k1 * TILE4]; var x2 = x[a + k2 * TILE4]; var x3 = x[a + k3 * TILE4];
        var y0 = d_y[b]; var y1 = d_y[b + o1 * TILE4]; var y2 = d_y[b + o2 * TILE4]; var y3 = d_y[b + o3 * TILE4];
        if (group + 1u == groups) {
          let here = present(group);
          let zero = vec4<f32>(0.0);
          x0 = select(zero, x0, here); x1 = select(zero, x1, here); x2 = select(zero, x2, here); x3 = select(zero, x3, here);
          y0 = select(zero, y0, here); y1 = select(zero, y1, here); y2 = select(zero, y2, here); y3 = select(zero, y3, here);
        }
        s00 = fma(x0, y0, s00); s01 = fma(x0, y1, s01); s02 = fma(x0, y2, s02); s03 = fma(x0, y3, s03);
        s10 = fma(x1, y0, s10); s11 = fma(x1, y1, s11); s12 = fma(x1, y2, s12); s13 = fma(x1, y3, s13);
        s20 = fma(x2, y0, s20); s21 = fma(x2, y1, s21); s22 = fma(x2, y2, s22); s23 = fma(x2, y3, s23);
        s30 = fma(x3, y0, s30); s31 = fma(x3, y1, s31); s32 = fma(x3, y2, s32); s33 = fma(x3, y3, s33);
        a++;
        b++;
      }
      let one = vec4<f32>(1.0);
      t0 += vec4<f32>(dot(s00, one), dot(s01, one), dot(s02, one), dot(s03, one));
      t1 += vec4<f32>(dot(s10, one), dot(s11, one), dot(s12, one), dot(s13, one));
      t2 += vec4<f32>(dot(s20, one), dot(s21, one), dot(s22, one), dot(s23, one));
      t3 += vec4<f32>(dot(s30, one), dot(s31, one), dot(s32, one), dot(s33, one));
    }
  }
  // Outputs beyond the last share a vec4 with real ones; theirs stays zero.
  let real = (vec4<u32>(o) + vec4<u32>(0u, 1u, 2u, 3u)) < vec4<u32>(params.outputs);
  let at = (strip * params.inputs + k) * 2u + (o / 4u) % 2u;
  let none = vec4<f32>(0.0);
  d_weight[at] += select(none, t0, real);
  if (k + 1u < params.inputs) { d_weight[at + 2u] += select(none, t1, real); }
  if (k + 2u < params.inputs) { d_weight[at + 4u] += select(none, t2, real); }
  if (k + 3u < params.inputs) { d_weight[at + 6u] += select(none, t3, real); }
}

@compute @workgroup_size(64)
fn column_sums(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.x;
  if (f >= sum_params.features) { return; }
  let groups = (rows() + 3u) / 4u;
  var sum = 0.0;
  for (var first = 0u; first < groups; first += TILE4) {
    let end = min(first + TILE4, groups);
    var at = tiled(sum_params.source_features, first) + (sum_params.at + f) * TILE4;
    var part = vec4<f32>(0.0);
    for (var group = first; group < end; group++) {
      part += select(vec4<f32>(0.0), terms[at], present(group));
      at++;
    }
    sum += dot(part, vec4<f32>(1.0));
  }
  total[f] += sum_params.factor * sum;
}
