// Convolution of an image with zero padding, one image a row, with what follows it in a conditioner.
//
//   v = bias[o] + sum over ky, kx, c of weight[o, ky, kx, c] x[c, row + ky - r, column + kx - r]        r = (kernel - 1) / 2
//   x[c] - center[c] instead of x[c]        CENTER: an ActNorm in front of a 1x1 convolution, where a bias of -weight center would cancel
//   v = v + addend[o]                       ADDEND: the context's projection, the same for every pixel
//   y[o, row, column] = v, or slope v where v < 0
//
// slope 1 is the identity, 0 relu, anything else leaky relu: one pipeline serves them all. Pixels outside the image count as zero, and so
// do those that `reads` leaves out: 0 reads all, 1 those whose row + column is even, 2 odd (a checkerboard). `writes` leaves out outputs
// in the same way, and pixel p goes to place p / 2: row-major pairs of pixels hold one of each parity where the width is even, and the
// parity is that of p itself where the width is odd.
//
// One invocation computes 8 outputs of 4 rows at 2 consecutive pixels; per tap and channel it loads two vec4 of x and two of the weights
// for 16 vec4 multiply-adds. Sums run over the taps in order, in runs of at most 24 channels that are summed apart, as in masked-linear.
//
// Shapes      channel c of pixel p is feature x_at + c x_channel + p x_pixel of x, tiled [x_features, rows], and likewise of y: hidden
//             layers keep the channels of a pixel side by side. weight f32 [outputs / 8, kernel, kernel, inputs, 8]; bias f32
//             [8 ceil(outputs / 8)], with CENTER then -center [inputs]; addend tiled [outputs, rows].
// Error       4 + kernel^2 inputs / 96 units in the last place of sum |weight x| (tests/cases/conv2d.ts).
// Derivative  with g = dy, times slope where v < 0: dx is this kernel on g, with inputs and outputs of the weights exchanged, both kernel axes
//             reversed, zeros at the pixels that `writes` left out and at those that `reads` did; d weight[o, ky, kx, c] = sum over rows and
//             pixels of g[o] x[c, shifted] (linear-backward.wgsl); d bias[o] = sum of g[o] over rows and pixels; d addend[o] = sum of
//             g[o] over pixels; with CENTER the entries of -center get the sum of dx (conv2d-backward.wgsl).
// Paper       Kingma and Dhariwal 2018, arXiv:1807.03039; Dinh et al. 2017, arXiv:1605.08803 (checkerboard).

#import "lib/call.wgsl"
#import "lib/layout.wgsl"

struct Params {
  inputs: u32,
  outputs: u32,
  height: u32,
  width: u32,
  kernel: u32,
  reads: u32,
  writes: u32,
  x_features: u32,
  x_at: u32,
  x_channel: u32,
  x_pixel: u32,
  y_features: u32,
  y_at: u32,
  y_channel: u32,
  y_pixel: u32,
  slope: f32,
}

const RUN = 24u; // channels of one partial sum

override ADDEND: bool = false;
override CENTER: bool = false; // kernel 1 alone: padding is zero after the difference

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read> addend: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> y: array<vec4<f32>>;

/// Whether a checkerboard setting keeps the pixels whose row + column has this parity.
fn keeps(setting: u32, row_and_column: u32) -> bool { return setting == 0u || (row_and_column & 1u) == setting - 1u; }

/// Where an invocation's two pixels go, which of them are written, and where the addend of the first output lies.
struct Ends {
  place0: u32,
  place1: u32,
  write0: bool,
  write1: bool,
  addend: u32,
}

fn rectify(v: vec4<f32>) -> vec4<f32> {
  // relu of minus infinity is 0, and 0 times it is not.
  let below = select(params.slope * v, vec4<f32>(0.0), params.slope == 0.0);
  return select(v, below, v < vec4<f32>(0.0));
}

/// Output o of both pixels, written out for each of a strip: a loop over the sums costs a small 1x1 convolution a third of its time.
fn finish(ends: Ends, o: u32, v0: vec4<f32>, v1: vec4<f32>) {
  if (o >= params.outputs) { return; }
  var added = vec4<f32>(bias[o]);
  if (ADDEND) { added += addend[ends.addend + o * TILE4]; }
  let at = o * params.y_channel * TILE4;
  if (ends.write0) { y[ends.place0 + at] = rectify(v0 + added); }
  if (ends.write1) { y[ends.place1 + at] = rectify(v1 + added); }
}

@compute @workgroup_size(16, 4)
fn conv2d(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>) {
  let strip = wg.y * 4u + lane.y;
  let group = wg.x * TILE4 + lane.x;
  if (strip * 8u >= params.outputs || group * 4u >= rows()) { return; }
  let area = params.height * params.width;
  let reach = params.kernel / 2u;
  let pixel = vec2<u32>(wg.z * 2u, wg.z * 2u + 1u);
  let row = pixel / params.width;
  let column = pixel % params.width;
  let inside = pixel < vec2<u32>(area);
  let x_base = tiled(params.x_features, group) + params.x_at * TILE4;
  let step = params.x_channel * TILE4;
  var w = strip * params.kernel * params.kernel * params.inputs * 2u;
  var sums: array<vec4<f32>, 16>; // output o of pixel g in 2 o + g
  for (var ky = 0u; ky < params.kernel; ky++) {
    for (var kx = 0u; kx < params.kernel; kx++) {
      // Shifted by the reach, so that nothing is negative: inside where reach <= r < height + reach.
      let r = row + vec2<u32>(ky);
      let c = column + vec2<u32>(kx);
      let here = inside & (r >= vec2<u32>(reach)) & (r < vec2<u32>(params.height + reach)) & (c >= vec2<u32>(reach)) & (c < vec2<u32>(params.width + reach));
      let read0 = here.x && keeps(params.reads, r.x + c.x);
      let read1 = here.y && keeps(params.reads, r.y + c.y);
      if (!(read0 || read1)) {
        w += params.inputs * 2u;
        continue;
      }
      let origin = pixel + vec2<u32>(ky * params.width + kx) - vec2<u32>(reach * params.width + reach);
      var at0 = x_base + select(0u, origin.x, read0) * params.x_pixel * TILE4;
      var at1 = x_base + select(0u, origin.y, read1) * params.x_pixel * TILE4;
      for (var start = 0u; start < params.inputs; start += RUN) {
        let end = min(start + RUN, params.inputs);
        var a0 = vec4<f32>(0.0); var b0 = vec4<f32>(0.0);
        var a1 = vec4<f32>(0.0); var b1 = vec4<f32>(0.0);
        var a2 = vec4<f32>(0.0); var b2 = vec4<f32>(0.0);
        var a3 = vec4<f32>(0.0); var b3 = vec4<f32>(0.0);
        var a4 = vec4<f32>(0.0); var b4 = vec4<f32>(0.0);
        var a5 = vec4<f32>(0.0); var b5 = vec4<f32>(0.0);
        var a6 = vec4<f32>(0.0); var b6 = vec4<f32>(0.0);
        var a7 = vec4<f32>(0.0); var b7 = vec4<f32>(0.0);
        for (var k = start; k < end; k++) {
          var x0 = select(vec4<f32>(0.0), x[at0], read0);
          var x1 = select(vec4<f32>(0.0), x[at1], read1);
          if (CENTER) {
            let shift = bias[(params.outputs + 7u) / 8u * 8u + k];
            x0 += shift;
            x1 += shift;
          }
          let w0 = weight[w];
          let w1 = weight[w + 1u];
          at0 += step;
          at1 += step;
          w += 2u;
          a0 = fma(vec4<f32>(w0.x), x0, a0); b0 = fma(vec4<f32>(w0.x), x1, b0);
          a1 = fma(vec4<f32>(w0.y), x0, a1); b1 = fma(vec4<f32>(w0.y), x1, b1);
          a2 = fma(vec4<f32>(w0.z), x0, a2); b2 = fma(vec4<f32>(w0.z), x1, b2);
          a3 = fma(vec4<f32>(w0.w), x0, a3); b3 = fma(vec4<f32>(w0.w), x1, b3);
          a4 = fma(vec4<f32>(w1.x), x0, a4); b4 = fma(vec4<f32>(w1.x), x1, b4);
          a5 = fma(vec4<f32>(w1.y), x0, a5); b5 = fma(vec4<f32>(w1.y), x1, b5);
          a6 = fma(vec4<f32>(w1.z), x0, a6); b6 = fma(vec4<f32>(w1.z), x1, b6);
          a7 = fma(vec4<f32>(w1.w), x0, a7); b7 = fma(vec4<f32>(w1.w), x1, b7);
        }
        sums[0] += a0; sums[1] += b0; sums[2] += a1; sums[3] += b1;
        sums[4] += a2; sums[5] += b2; sums[6] += a3; sums[7] += b3;
        sums[8] += a4; sums[9] += b4; sums[10] += a5; sums[11] += b5;
        sums[12] += a6; sums[13] += b6; sums[14] += a7; sums[15] += b7;
      }
    }
  }
  let y_base = tiled(params.y_features, group) + params.y_at * TILE4;
  let place = select(pixel / 2u, pixel, params.writes == 0u) * params.y_pixel * TILE4 + vec2<u32>(y_base);
  let ends = Ends(
    place.x,
    place.y,
    inside.x && keeps(params.writes, row.x + column.x),
    inside.y && keeps(params.writes, row.y + column.y),
    tiled(params.outputs, group),
  );
  let o = strip * 8u;
  finish(ends, o, sums[0], sums[1]);
  finish(ends, o + 1u, sums[2], sums[3]);
  finish(ends, o + 2u, sums[4], sums[5]);
  finish(ends, o + 3u, sums[6], sums[7]);
  finish(ends, o + 4u, sums[8], sums[9]);
  finish(ends, o + 5u, sums[10], sums[11]);
  finish(ends, o + 6u, sums[12], sums[13]);
  finish(ends, o + 7u, sums[14], sums[15]);
}
