// Gradients by the weights of a linear layer, and by what is added to or summed over every row.
//
//   weight_gradient   d_weight[part, o, ky, kx, k] += Σ over rows and pixels p of x[k, p + (ky, kx) − reach, row] · d_y[o, p, row]
//                     with BIAS, of a linear layer in one part: d_bias[o] += Σ over rows and blocks of d_y[o, row]
//   sum_parts         whole_sum[i] += Σ over parts of pieces[part, i]
//   column_sums       total[to + f stride] += factor · Σ over rows and b < blocks of terms[at + b features + f, row]
//
// weight_gradient serves linear layers (one tap) and convolutions (conv2d.wgsl). One invocation takes 8 inputs by a strip of 8 outputs at one
// tap in registers and walks pixels and rows, four rows at a time as products of 4 × 4 matrices; per step it loads 8 vec4 of x and 8 of d_y
// for 64 vec4 multiply-adds.
// Blocks of 8 × 8 outside the run of inputs that the masks let through are left as they are. Sums run over one tile of 64 rows, then tiles
// are added in order, so the error grows with the number of tiles. A linear layer that was applied to several inputs side by side
// (masked-linear.wgsl) has as many pixels. `parts`: pixels are shared out among as many invocations, each with a sum of its own.
// Rows of the last group beyond the batch count as zero whatever they hold.
//
// Shapes      x, d_y, terms tiled [features, rows], read from feature x_at, y_at, at, channel c of pixel p c x_channel + p x_pixel features
//             further; d_weight f32 [parts, outputs / 8, kernel, kernel, inputs, 8]; pieces f32 [parts, length]; whole_sum f32 [length]; d_bias, total f32.
// Error       64 + tiles units in the last place of Σ |x d_y| at most (tests/cases/linear-backward.ts).
// Derivative  bilinear: by x another masked_linear with d_weight's cotangent as weights, by d_y likewise.

#import "lib/layout.wgsl"
#import "lib/rows-backward.wgsl"
#import "lib/elements.wgsl"

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
@group(0) @binding(8) var<storage, read> pieces: array<f32>;
@group(0) @binding(9) var<storage, read_write> whole_sum: array<f32>;
@group(0) @binding(10) var<storage, read_write> d_bias: array<f32>;

/// Four rows of four features, a column each; rows beyond the batch are zero.
fn rows_of_x(at: vec4<u32>) -> mat4x4<f32> { return mat4x4<f32>(x[at.x], x[at.y], x[at.z], x[at.w]); }
fn rows_of_y(at: vec4<u32>) -> mat4x4<f32> { return mat4x4<f32>(d_y[at.x], d_y[at.y], d_y[at.z], d_y[at.w]); }
fn where_present(m: mat4x4<f32>, here: vec4<bool>) -> mat4x4<f32> {
  let none = vec4<f32>(0.0);
  return mat4x4<f32>(select(none, m[0], here), select(none, m[1], here), select(none, m[2], here), select(none, m[3], here));
}

override BIAS: bool = false;

@compute @workgroup_size(16)
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
  // One run of each strip sums the bias too: that of its first open weight, or of none.
  let sums_bias = BIAS && k / 8u == min(ranges[strip * 2u] / 8u, runs - 1u);
  let open = k < ranges[strip * 2u + 1u] && k + 8u > ranges[strip * 2u];
  if (!open && !sums_bias) { return; }
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
  let four = vec4<u32>(0u, 1u, 2u, 3u);
  let x_low = min(four, vec4<u32>(k_end)) * x_step;
  let x_high = min(four + vec4<u32>(4u), vec4<u32>(k_end)) * x_step;
  let y_low = min(four, vec4<u32>(o_end)) * y_step;
  let y_high = min(four + vec4<u32>(4u), vec4<u32>(o_end)) * y_step;
  var sum00 = mat4x4<f32>(); var sum01 = mat4x4<f32>();
  var sum10 = mat4x4<f32>(); var sum11 = mat4x4<f32>();
  var bias_low = vec4<f32>(0.0); var bias_high = vec4<f32>(0.0);
  for (var pixel = part * share; pixel < min(area, (part + 1u) * share); pixel++) {
    // Shifted by the reach, so that nothing is negative.
    let at = vec2<u32>(pixel / params.width, pixel % params.width) + shift;
    if (any(at < reach) || any(at >= size + reach)) { continue; }
    let origin = (at.x - reach.x) * params.width + at.y - reach.y;
    let x_at = (params.x_at + origin * params.x_pixel + k * params.x_channel) * TILE4;
    let y_at = (params.y_at + pixel * params.y_pixel + o * params.y_channel) * TILE4;
    for (var first = 0u; first < groups; first += TILE4) {
      let end = min(first + TILE4, groups);
      var x_from = vec4<u32>(tiled(params.x_features, first) + x_at);
      var y_from = vec4<u32>(tiled(params.y_features, first) + y_at);
      // Inputs 0 to 3, a column each, by outputs 0 to 3 and 4 to 7; then inputs 4 to 7.
      var part00 = mat4x4<f32>(); var part01 = mat4x4<f32>();
      var part10 = mat4x4<f32>(); var part11 = mat4x4<f32>();
      var low = vec4<f32>(0.0); var high = vec4<f32>(0.0);
      for (var group = first; group < end; group++) {
        let here = present(group);
        let y0 = transpose(where_present(rows_of_y(y_from + y_low), here));
        let y1 = transpose(where_present(rows_of_y(y_from + y_high), here));
        let x0 = where_present(rows_of_x(x_from + x_low), here);
        let x1 = where_present(rows_of_x(x_from + x_high), here);
        part00 += y0 * x0; part01 += y1 * x0;
        part10 += y0 * x1; part11 += y1 * x1;
        if (BIAS) {
          low += y0 * vec4<f32>(1.0);
          high += y1 * vec4<f32>(1.0);
        }
        x_from += 1u;
        y_from += 1u;
      }
      sum00 += part00; sum01 += part01;
      sum10 += part10; sum11 += part11;
      bias_low += low; bias_high += high;
    }
  }
  // Outputs beyond the last share a vec4 with real ones; theirs stays zero.
  let lanes = four + vec4<u32>(o);
  let real_low = lanes < vec4<u32>(params.outputs);
  let real_high = lanes + vec4<u32>(4u) < vec4<u32>(params.outputs);
  let none = vec4<f32>(0.0);
  var sums = array<mat4x4<f32>, 4>(sum00, sum01, sum10, sum11);
  for (var i = 0u; i < 8u; i++) {
    if (!open || k + i >= params.inputs) { break; }
    let at = (((part * strips + strip) * taps + tap) * params.inputs + k + i) * 2u;
    d_weight[at] += select(none, sums[(i >> 2u) * 2u][i & 3u], real_low);
    d_weight[at + 1u] += select(none, sums[(i >> 2u) * 2u + 1u][i & 3u], real_high);
  }
  if (sums_bias) {
    var biases = array<vec4<f32>, 2>(bias_low, bias_high);
    for (var i = 0u; i < min(8u, params.outputs - o); i++) { d_bias[o + i] += biases[i / 4u][i % 4u]; }
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
fn sum_parts(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = shared_by(1u, wg, lane);
  if (i >= part_params.length) { return; }
  var all = 0.0;
  for (var part = 0u; part < part_params.parts; part++) { all += pieces[part * part_params.length + i]; }
  whole_sum[i] += all;
}
