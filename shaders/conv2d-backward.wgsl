// What the derivative of a convolution (conv2d.wgsl) needs beside conv2d itself and weight_gradient (linear-backward.wgsl).
//
//   rectify_backward   d_sum[f] = d_value[f] where value[f] > 0, else slope · d_value[f]
//   pixel_sums         sums[o] = Σ over pixels p of terms[at + o channel + p pixel]
//   center_pixels      centered[c pixels + p] = terms[at + c channel + p pixel] + bias[bias_at + c]: what a convolution with a center multiplies
//
// A bias or an addend that all pixels share gets the second, row by row. Pixels are summed in runs of 32 that are then added.
//
// Shapes      value, d_value, d_sum tiled [features, rows]; terms tiled [source_features, rows]; sums, centered tiled [features, rows];
//             bias f32, as conv2d has it.
// Error       rectify_backward and center_pixels a rounding; pixel_sums 4 + pixels / 64 units in the last place of Σ |terms| (tests/cases/conv2d-backward.ts).
// Derivative  linear in d_value and in terms.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"

struct Params {
  features: u32,
  slope: f32,
}

struct SumParams {
  features: u32,
  pixels: u32,
  source_features: u32,
  at: u32,
  channel: u32,
  pixel: u32,
}

struct CenterParams {
  features: u32,
  pixels: u32,
  bias_at: u32,
  source_features: u32,
  at: u32,
  channel: u32,
  pixel: u32,
}

const RUN = 32u; // pixels of one partial sum

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> sum_params: SumParams;
@group(0) @binding(1) var<uniform> center_params: CenterParams;
@group(0) @binding(2) var<storage, read> value: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> d_value: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> d_sum: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> terms: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> sums: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read> bias: array<f32>;
@group(0) @binding(8) var<storage, read_write> centered: array<vec4<f32>>;

@compute @workgroup_size(16, 4)
fn rectify_backward(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x * 4u >= rows() || id.y >= params.features) { return; }
  let at = tiled(params.features, id.x) + id.y * TILE4;
  d_sum[at] = select(params.slope * d_value[at], d_value[at], value[at] > vec4<f32>(0.0));
}

@compute @workgroup_size(16, 4)
fn pixel_sums(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x * 4u >= rows() || id.y >= sum_params.features) { return; }
  let origin = tiled(sum_params.source_features, id.x) + (sum_params.at + id.y * sum_params.channel) * TILE4;
  var sum = vec4<f32>(0.0);
  for (var start = 0u; start < sum_params.pixels; start += RUN) {
    let end = min(start + RUN, sum_params.pixels);
    var part = vec4<f32>(0.0);
    for (var pixel = start; pixel < end; pixel++) { part += terms[origin + pixel * sum_params.pixel * TILE4]; }
    sum += part;
  }
  sums[tiled(sum_params.features, id.x) + id.y * TILE4] = sum;
}

@compute @workgroup_size(16, 4)
fn center_pixels(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.y;
  if (id.x * 4u >= rows() || f >= center_params.features) { return; }
  let channel = f / center_params.pixels;
  let origin = center_params.at + channel * center_params.channel + f % center_params.pixels * center_params.pixel;
  let term = terms[tiled(center_params.source_features, id.x) + origin * TILE4];
  centered[tiled(center_params.features, id.x) + f * TILE4] = term + bias[center_params.bias_at + channel];
}
