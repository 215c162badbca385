// The body of masked-linear-matrix.wgsl and its twin with float16 weights: the importer says what it does.
#import "lib/masked-linear.wgsl"

const RUN = 64u; // inputs of one partial sum, a multiple of 4

/// Four inputs of a row group, a column each.
fn inputs_at(at: u32) -> mat4x4<f32> { return mat4x4<f32>(x[at], x[at + TILE4], x[at + 2u * TILE4], x[at + 3u * TILE4]); }

/// Weights of four outputs, a column each, by four inputs.
fn weights_at(w: u32) -> mat4x4<f32> { return transpose(mat4x4<f32>(weights_of(w), weights_of(w + 2u), weights_of(w + 4u), weights_of(w + 6u))); }

/// One input by four outputs.
fn one(v: vec4<f32>, w: vec4<f32>) -> mat4x4<f32> { return mat4x4<f32>(v * w.x, v * w.y, v * w.z, v * w.w); }

fn multiply_matrix(wg: vec3<u32>, lane: vec3<u32>) {
  let strip = (wg.y * 8u + lane.y) * 2u;
  let group = wg.x * TILE4 + lane.x; // this invocation's rows: group, group + 4, + 8 and + 12 of the row tile
  if (strip * 8u >= params.outputs || group * 4u >= rows()) { return; }
  // A strip that is missing is computed as the one before, and not written.
  let other = min(strip + 1u, (params.outputs + 7u) / 8u - 1u);
  let union = union_of(ranges_of(strip), ranges_of(other));
  let first = union.x;
  let last = union.y;
  var at = tiled(params.x_features, group) + (params.x_at + wg.z * params.inputs + first) * TILE4;
  var w = (strip * params.inputs + first) * 2u;
  let to_other = (other - strip) * params.inputs * 2u;
  var sums: array<mat4x4<f32>, 16>; // outputs 4 q … 4 q + 3 of row group g in 4 q + g
  let whole_end = first + (last - first) / 4u * 4u;
  for (var start = first; start < whole_end; start += RUN) {
    let end = min(start + RUN, whole_end);
    var p00 = mat4x4<f32>(); var p01 = mat4x4<f32>(); var p02 = mat4x4<f32>(); var p03 = mat4x4<f32>();
    var p10 = mat4x4<f32>(); var p11 = mat4x4<f32>(); var p12 = mat4x4<f32>(); var p13 = mat4x4<f32>();
    var p20 = mat4x4<f32>(); var p21 = mat4x4<f32>(); var p22 = mat4x4<f32>(); var p23 = mat4x4<f32>();
    var p30 = mat4x4<f32>(); var p31 = mat4x4<f32>(); var p32 = mat4x4<f32>(); var p33 = mat4x4<f32>();
    for (var k = start; k < end; k += 4u) {
      let x0 = inputs_at(at);
      let x1 = inputs_at(at + 4u);
      let x2 = inputs_at(at + 8u);
      let x3 = inputs_at(at + 12u);
      let w0 = weights_at(w);
      p00 += x0 * w0; p01 += x1 * w0; p02 += x2 * w0; p03 += x3 * w0;
      let w1 = weights_at(w + 1u);
      p10 += x0 * w1; p11 += x1 * w1; p12 += x2 * w1; p13 += x3 * w1;
      let w2 = weights_at(w + to_other);
      p20 += x0 * w2; p21 += x1 * w2; p22 += x2 * w2; p23 += x3 * w2;
      let w3 = weights_at(w + to_other + 1u);
      p30 += x0 * w3; p31 += x1 * w3; p32 += x2 * w3; p33 += x3 * w3;
      at += 4u * TILE4;
      w += 8u;
    }
    sums[0] += p00; sums[1] += p01; sums[2] += p02; sums[3] += p03;
    sums[4] += p10; sums[5] += p11; sums[6] += p12; sums[7] += p13;
    sums[8] += p20; sums[9] += p21; sums[10] += p22; sums[11] += p23;
    sums[12] += p30; sums[13] += p31; sums[14] += p32; sums[15] += p33;
  }
  for (var k = whole_end; k < last; k++) {
    let x0 = x[at]; let x1 = x[at + 4u]; let x2 = x[at + 8u]; let x3 = x[at + 12u];
    let w0 = weights_of(w);
    sums[0] += one(x0, w0); sums[1] += one(x1, w0); sums[2] += one(x2, w0); sums[3] += one(x3, w0);
    let w1 = weights_of(w + 1u);
    sums[4] += one(x0, w1); sums[5] += one(x1, w1); sums[6] += one(x2, w1); sums[7] += one(x3, w1);
    let w2 = weights_of(w + to_other);
    sums[8] += one(x0, w2); sums[9] += one(x1, w2); sums[10] += one(x2, w2); sums[11] += one(x3, w2);
    let w3 = weights_of(w + to_other + 1u);
    sums[12] += one(x0, w3); sums[13] += one(x1, w3); sums[14] += one(x2, w3); sums[15] += one(x3, w3);
    at += TILE4;
    w += 2u;
  }
  let y_from = params.y_at + wg.z * params.outputs;
  for (var i = 0u; i < 64u; i++) {
    let unit = i / 4u;
    let o = strip * 8u + unit;
    if (o >= params.outputs) { break; }
    finish(o, group + i % 4u * 4u, y_from, sums[unit / 4u * 4u + i % 4u][unit % 4u]);
  }
}
