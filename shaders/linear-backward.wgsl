// Gradients by the weights of a linear layer, and by what is added to or summed over every row.
//
//   weight_gradient   d_weight[part, o, ky, kx, k] += Σ over rows and pixels p of x[k, p + (ky, kx) − reach, row] · d_y[o, p, row]
//   sum_parts         whole_sum[i] += Σ over parts of partial[part, i]
//   column_sums       total[to + f stride] += factor · Σ over rows and b < blocks of terms[at + b features + f, row]
//
// weight_gradient serves linear layers (one tap) and convolutions (conv2d.wgsl). One invocation takes 8 inputs by a strip of 8 outputs at one
// tap in registers and walks pixels and rows, four rows at a time; per step it loads 8 vec4 of x and 8 of d_y for 64 vec4 multiply-adds.
// Blocks of 8 × 8 outside the run of inputs that the masks let through are left as they are. Sums run over one tile of 64 rows, then tiles
// are added in order, so the error grows with the number of tiles. A linear layer that was applied to several inputs side by side
// (masked-linear.wgsl) has as many pixels. `parts`: pixels are shared out among as many invocations, each with a sum of its own.
// Rows of the last group beyond the batch count as zero whatever they hold.
//
// Shapes      x, d_y, terms tiled [features, rows], read from feature x_at, y_at, at, channel c of pixel p c x_channel + p x_pixel features
//             further; d_weight f32 [parts, outputs / 8, kernel, kernel, inputs, 8]; partial f32 [parts, length]; whole_sum f32 [length]; total f32.
// Error       64 + tiles units in the last place of Σ |x d_y| at most (tests/cases/linear-backward.ts).
// Derivative  bilinear: by x another masked_linear with d_weight's cotangent as weights, by d_y likewise.

#import "lib/layout.wgsl"
#import "lib/rows-backward.wgsl"

struct Params {
  inputs: u32,
  outputs: u32,
  height: u32,
  width: u32,
  kernel: u32,
  parts: u32,
  x_features: u32,
  x_at: u32,
  x_channel: u32,
  x_pixel: u32,
  y_features: u32,
  y_at: u32,
  y_channel: u32,
  y_pixel: u32,
}

struct PartParams {
  length: u32,
  parts: u32,
}

struct SumParams {
  features: u32,
  source_features: u32,
  at: u32,
  factor: f32,
  stride: u32,
  to: u32,
  blocks: u32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> sum_params: SumParams;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> d_y: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> ranges: array<u32>;
@group(0) @binding(5) var<storage, read_write> d_weight: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> terms: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> total: array<f32>;
@group(0) @binding(1) var<uniform> part_params: PartParams;
@group(0) @binding(8) var<storage, read> partial: array<f32>;
@group(0) @binding(9) var<storage, read_write> whole_sum: array<f32>;

@compute @workgroup_size(32)
fn weight_gradient(@builtin(global_invocation_id) id: vec3<u32>) {
  let runs = (params.inputs + 7u) / 8u;
  let strips = (params.outputs + 7u) / 8u;
  let taps = params.kernel * params.kernel;
  let k = id.x % runs * 8u;
  let strip = id.x / runs % strips;
  let o = strip * 8u;
  let tap = id.x / (runs * strips) % taps;
  let part = id.x / (runs * strips * taps);
  if (part >= params.parts) { return; }
  if (k >= ranges[strip * 2u + 1u] || k + 8u <= ranges[strip * 2u]) { return; }
  let groups = (rows() + 3u) / 4u;
  let shift = vec2<u32>(tap / params.kernel, tap % params.kernel);
  let reach = vec2<u32>(params.kernel / 2u);
  let size = vec2<u32>(params.height, params.width);
  let area = params.height * params.width;
  let share = (area + params.parts - 1u) / params.parts;
  // Inputs and outputs beyond the last are read again from the last, and not written.
  let k_end = params.inputs - 1u - k;
  let o_end = params.outputs - 1u - o;
  let x_step = params.x_channel * TILE4;
  let y_step = params.y_channel * TILE4;
  var sums: array<vec4<f32>, 16>; // input i by outputs 0 to 3 in 2 i, 4 to 7 in 2 i + 1
  for (var i = 0u; i < 16u; i++) { sums[i] = vec4<f32>(0.0); }
  for (var pixel = part * share; pixel < min(area, (part + 1u) * share); pixel++) {
    // Shifted by the reach, so that nothing is negative.
    let at = vec2<u32>(pixel / params.width, pixel % params.width) + shift;
    if (any(at < reach) || any(at >= size + reach)) { continue; }
    let from = (at.x - reach.x) * params.width + at.y - reach.y;
    let x_at = (params.x_at + from * params.x_pixel + k * params.x_channel) * TILE4;
    let y_at = (params.y_at + pixel * params.y_pixel + o * params.y_channel) * TILE4;
    for (var first = 0u; first < groups; first += TILE4) {
      let end = min(first + TILE4, groups);
      var x_from = tiled(params.x_features, first) + x_at;
      var y_from = tiled(params.y_features, first) + y_at;
      var a0 = vec4<f32>(0.0); var b0 = vec4<f32>(0.0);
      var a1 = vec4<f32>(0.0); var b1 = vec4<f32>(0.0);
      var a2 = vec4<f32>(0.0); var b2 = vec4<f32>(0.0);
      var a3 = vec4<f32>(0.0); var b3 = vec4<f32>(0.0);
      var a4 = vec4<f32>(0.0); var b4 = vec4<f32>(0.0);
      var a5 = vec4<f32>(0.0); var b5 = vec4<f32>(0.0);
      var a6 = vec4<f32>(0.0); var b6 = vec4<f32>(0.0);
      var a7 = vec4<f32>(0.0); var b7 = vec4<f32>(0.0);
      for (var group = first; group < end; group++) {
        var x0 = x[x_from];
        var x1 = x[x_from + min(1u, k_end) * x_step];
        var x2 = x[x_from + min(2u, k_end) * x_step];
        var x3 = x[x_from + min(3u, k_end) * x_step];
        var x4 = x[x_from + min(4u, k_end) * x_step];
        var x5 = x[x_from + min(5u, k_end) * x_step];
        var x6 = x[x_from + min(6u, k_end) * x_step];
        var x7 = x[x_from + min(7u, k_end) * x_step];
        var y0 = d_y[y_from];
        var y1 = d_y[y_from + min(1u, o_end) * y_step];
        var y2 = d_y[y_from + min(2u, o_end) * y_step];
        var y3 = d_y[y_from + min(3u, o_end) * y_step];
        var y4 = d_y[y_from + min(4u, o_end) * y_step];
        var y5 = d_y[y_from + min(5u, o_end) * y_step];
        var y6 = d_y[y_from + min(6u, o_end) * y_step];
        var y7 = d_y[y_from + min(7u, o_end) * y_step];
        if (group + 1u == groups) {
          let here = present(group);
          let zero = vec4<f32>(0.0);
          x0 = select(zero, x0, here); y0 = select(zero, y0, here);
          x1 = select(zero, x1, here); y1 = select(zero, y1, here);
          x2 = select(zero, x2, here); y2 = select(zero, y2, here);
          x3 = select(zero, x3, here); y3 = select(zero, y3, here);
          x4 = select(zero, x4, here); y4 = select(zero, y4, here);
          x5 = select(zero, x5, here); y5 = select(zero, y5, here);
          x6 = select(zero, x6, here); y6 = select(zero, y6, here);
          x7 = select(zero, x7, here); y7 = select(zero, y7, here);
        }
        // Row by row, the eight outputs as two vectors: sixteen sums in registers serve 8 × 8 weights.
        var low: vec4<f32>; var high: vec4<f32>;
        low = vec4<f32>(y0.x, y1.x, y2.x, y3.x); high = vec4<f32>(y4.x, y5.x, y6.x, y7.x);
        a0 = fma(vec4<f32>(x0.x), low, a0); b0 = fma(vec4<f32>(x0.x), high, b0);
        a1 = fma(vec4<f32>(x1.x), low, a1); b1 = fma(vec4<f32>(x1.x), high, b1);
        a2 = fma(vec4<f32>(x2.x), low, a2); b2 = fma(vec4<f32>(x2.x), high, b2);
        a3 = fma(vec4<f32>(x3.x), low, a3); b3 = fma(vec4<f32>(x3.x), high, b3);
        a4 = fma(vec4<f32>(x4.x), low, a4); b4 = fma(vec4<f32>(x4.x), high, b4);
        a5 = fma(vec4<f32>(x5.x), low, a5); b5 = fma(vec4<f32>(x5.x), high, b5);
        a6 = fma(vec4<f32>(x6.x), low, a6); b6 = fma(vec4<f32>(x6.x), high, b6);
        a7 = fma(vec4<f32>(x7.x), low, a7); b7 = fma(vec4<f32>(x7.x), high, b7);
        low = vec4<f32>(y0.y, y1.y, y2.y, y3.y); high = vec4<f32>(y4.y, y5.y, y6.y, y7.y);
        a0 = fma(vec4<f32>(x0.y), low, a0); b0 = fma(vec4<f32>(x0.y), high, b0);
        a1 = fma(vec4<f32>(x1.y), low, a1); b1 = fma(vec4<f32>(x1.y), high, b1);
        a2 = fma(vec4<f32>(x2.y), low, a2); b2 = fma(vec4<f32>(x2.y), high, b2);
        a3 = fma(vec4<f32>(x3.y), low, a3); b3 = fma(vec4<f32>(x3.y), high, b3);
        a4 = fma(vec4<f32>(x4.y), low, a4); b4 = fma(vec4<f32>(x4.y), high, b4);
        a5 = fma(vec4<f32>(x5.y), low, a5); b5 = fma(vec4<f32>(x5.y), high, b5);
        a6 = fma(vec4<f32>(x6.y), low, a6); b6 = fma(vec4<f32>(x6.y), high, b6);
        a7 = fma(vec4<f32>(x7.y), low, a7); b7 = fma(vec4<f32>(x7.y), high, b7);
        low = vec4<f32>(y0.z, y1.z, y2.z, y3.z); high = vec4<f32>(y4.z, y5.z, y6.z, y7.z);
        a0 = fma(vec4<f32>(x0.z), low, a0); b0 = fma(vec4<f32>(x0.z), high, b0);
        a1 = fma(vec4<f32>(x1.z), low, a1); b1 = fma(vec4<f32>(x1.z), high, b1);
        a2 = fma(vec4<f32>(x2.z), low, a2); b2 = fma(vec4<f32>(x2.z), high, b2);
        a3 = fma(vec4<f32>(x3.z), low, a3); b3 = fma(vec4<f32>(x3.z), high, b3);
        a4 = fma(vec4<f32>(x4.z), low, a4); b4 = fma(vec4<f32>(x4.z), high, b4);
        a5 = fma(vec4<f32>(x5.z), low, a5); b5 = fma(vec4<f32>(x5.z), high, b5);
        a6 = fma(vec4<f32>(x6.z), low, a6); b6 = fma(vec4<f32>(x6.z), high, b6);
        a7 = fma(vec4<f32>(x7.z), low, a7); b7 = fma(vec4<f32>(x7.z), high, b7);
        low = vec4<f32>(y0.w, y1.w, y2.w, y3.w); high = vec4<f32>(y4.w, y5.w, y6.w, y7.w);
        a0 = fma(vec4<f32>(x0.w), low, a0); b0 = fma(vec4<f32>(x0.w), high, b0);
        a1 = fma(vec4<f32>(x1.w), low, a1); b1 = fma(vec4<f32>(x1.w), high, b1);
        a2 = fma(vec4<f32>(x2.w), low, a2); b2 = fma(vec4<f32>(x2.w), high, b2);
        a3 = fma(vec4<f32>(x3.w), low, a3); b3 = fma(vec4<f32>(x3.w), high, b3);
        a4 = fma(vec4<f32>(x4.w), low, a4); b4 = fma(vec4<f32>(x4.w), high, b4);
        a5 = fma(vec4<f32>(x5.w), low, a5); b5 = fma(vec4<f32>(x5.w), high, b5);
        a6 = fma(vec4<f32>(x6.w), low, a6); b6 = fma(vec4<f32>(x6.w), high, b6);
        a7 = fma(vec4<f32>(x7.w), low, a7); b7 = fma(vec4<f32>(x7.w), high, b7);
        x_from++;
        y_from++;
      }
      sums[0] += a0; sums[1] += b0;
      sums[2] += a1; sums[3] += b1;
      sums[4] += a2; sums[5] += b2;
      sums[6] += a3; sums[7] += b3;
      sums[8] += a4; sums[9] += b4;
      sums[10] += a5; sums[11] += b5;
      sums[12] += a6; sums[13] += b6;
      sums[14] += a7; sums[15] += b7;
    }
  }
  // Outputs beyond the last share a vec4 with real ones; theirs stays zero.
  let lanes = vec4<u32>(0u, 1u, 2u, 3u) + vec4<u32>(o);
  let real_low = lanes < vec4<u32>(params.outputs);
  let real_high = lanes + vec4<u32>(4u) < vec4<u32>(params.outputs);
  let none = vec4<f32>(0.0);
  for (var i = 0u; i < 8u; i++) {
    if (k + i >= params.inputs) { break; }
    let at = (((part * strips + strip) * taps + tap) * params.inputs + k + i) * 2u;
    d_weight[at] += select(none, sums[2u * i], real_low);
    d_weight[at + 1u] += select(none, sums[2u * i + 1u], real_high);
  }
}

@compute @workgroup_size(64)
fn column_sums(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.x;
  if (f >= sum_params.features) { return; }
  let groups = (rows() + 3u) / 4u;
  var sum = 0.0;
  for (var first = 0u; first < groups; first += TILE4) {
    let end = min(first + TILE4, groups);
    var part = vec4<f32>(0.0);
    for (var b = 0u; b < sum_params.blocks; b++) {
      var at = tiled(sum_params.source_features, first) + (sum_params.at + b * sum_params.features + f) * TILE4;
      for (var group = first; group < end; group++) {
        part += select(vec4<f32>(0.0), terms[at], present(group));
        at++;
      }
    }
    sum += dot(part, vec4<f32>(1.0));
  }
  total[sum_params.to + f * sum_params.stride] += sum_params.factor * sum;
}

@compute @workgroup_size(64)
fn sum_parts(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.y * 65535u * 64u + id.x;
  if (i >= part_params.length) { return; }
  var all = 0.0;
  for (var part = 0u; part < part_params.parts; part++) { all += partial[part * part_params.length + i]; }
  whole_sum[i] += all;
}
