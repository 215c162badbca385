// The body of masked-linear.wgsl and masked-linear-half.wgsl: the importer says what it does.
#import "lib/masked-linear.wgsl"

const RUN = 24u; // inputs of one partial sum

fn rectify(v: vec4<f32>) -> vec4<f32> { return select(v, vec4<f32>(0.0), vec4<bool>(ACTIVATION == ACT_RELU) & (v < vec4<f32>(0.0))); }

fn multiply_strip(wg: vec3<u32>, lane: vec3<u32>) {
  let tile = wg.y * 4u + lane.y;
  let group = wg.x * TILE4 + lane.x; // this invocation's rows: group, and group + 8 of the same row tile
  if (tile * 8u >= params.outputs || group * 4u >= rows()) { return; }
  let first = ranges[tile * 2u];
  let last = ranges[tile * 2u + 1u];
  var at = tiled(params.x_features, group) + (params.x_at + wg.z * params.inputs + first) * TILE4;
  var w = (tile * params.inputs + first) * 2u;
  let y_from = params.y_at + wg.z * params.outputs;
  var sums: array<vec4<f32>, 16>; // output o of row group g in 2 o + g
  for (var start = first; start < last; start += RUN) {
    let end = min(start + RUN, last);
    var a0 = vec4<f32>(0.0); var b0 = vec4<f32>(0.0);
    var a1 = vec4<f32>(0.0); var b1 = vec4<f32>(0.0);
    var a2 = vec4<f32>(0.0); var b2 = vec4<f32>(0.0);
    var a3 = vec4<f32>(0.0); var b3 = vec4<f32>(0.0);
    var a4 = vec4<f32>(0.0); var b4 = vec4<f32>(0.0);
    var a5 = vec4<f32>(0.0); var b5 = vec4<f32>(0.0);
    var a6 = vec4<f32>(0.0); var b6 = vec4<f32>(0.0);
    var a7 = vec4<f32>(0.0); var b7 = vec4<f32>(0.0);
    for (var k = start; k < end; k++) {
      let x0 = x[at];
      let x1 = x[at + 8u];
      let w0 = weights_of(w);
      let w1 = weights_of(w + 1u);
      at += TILE4;
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
  if (ACTIVATION <= ACT_RELU && !GATE && !ADDEND && !RAW && !SCALE) {
    // Most layers, written out: the general case below reads its sums from an array, at a tenth of the layer's time.
    let o = tile * 8u;
    let y_at = tiled(params.y_features, group) + (y_from + o) * TILE4;
    if (o + 0u < params.outputs) { y[y_at] = rectify(sums[0] + bias[o + 0u]); y[y_at + 8u] = rectify(sums[1] + bias[o + 0u]); }
    if (o + 1u < params.outputs) { y[y_at + 16u] = rectify(sums[2] + bias[o + 1u]); y[y_at + 24u] = rectify(sums[3] + bias[o + 1u]); }
    if (o + 2u < params.outputs) { y[y_at + 32u] = rectify(sums[4] + bias[o + 2u]); y[y_at + 40u] = rectify(sums[5] + bias[o + 2u]); }
    if (o + 3u < params.outputs) { y[y_at + 48u] = rectify(sums[6] + bias[o + 3u]); y[y_at + 56u] = rectify(sums[7] + bias[o + 3u]); }
    if (o + 4u < params.outputs) { y[y_at + 64u] = rectify(sums[8] + bias[o + 4u]); y[y_at + 72u] = rectify(sums[9] + bias[o + 4u]); }
    if (o + 5u < params.outputs) { y[y_at + 80u] = rectify(sums[10] + bias[o + 5u]); y[y_at + 88u] = rectify(sums[11] + bias[o + 5u]); }
    if (o + 6u < params.outputs) { y[y_at + 96u] = rectify(sums[12] + bias[o + 6u]); y[y_at + 104u] = rectify(sums[13] + bias[o + 6u]); }
    if (o + 7u < params.outputs) { y[y_at + 112u] = rectify(sums[14] + bias[o + 7u]); y[y_at + 120u] = rectify(sums[15] + bias[o + 7u]); }
    return;
  }
  for (var i = 0u; i < 16u; i++) {
    let o = tile * 8u + (i >> 1u);
    if (o >= params.outputs) { break; }
    finish(o, group + (i & 1u) * 8u, y_from, sums[i]);
  }
}
