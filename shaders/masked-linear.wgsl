// Masked linear layer with everything that follows it in a conditioner.
//
//   v = sum over k in range(o) of weight[k, o] x[k]  +  bias[o]
//   v = v sigmoid(gate[o])                      GATE: gated context (nflows' residual nets)
//   v = v + addend[o]                           ADDEND: a skip connection, or the context's projection
//   raw[o] = v                                  RAW: kept for a later skip connection
//   y[o] = activation(v scale[o] + shift[o])    SCALE: batch norm with running statistics
//
// Masks are zeros in the weights, skipped in whole tiles: outputs are sorted by degree, so each tile of 8 outputs reads one run
// of inputs (ranges). One invocation computes 8 outputs of 8 rows, four and four, in registers; per input it loads two vec4
// of x and two of the weights for 16 vec4 multiply-adds. Sums run over k in order, in runs of 24 that are summed apart and then
// added: the same bits on any batch, and an error that grows with 24 + inputs / 24 instead of inputs.
//
// Blocks: the same layer applied to several inputs side by side (tangents of one vector): block b reads the `inputs` features from
// x_at + b inputs on and writes the `outputs` features from y_at + b outputs on. Gate, addend and raw belong to plain layers, one block.
//
// Shapes   x tiled [x_features, rows], read from feature x_at; weight f32 [outputs / 8, inputs, 8]; bias f32 [3, 8 ceil(outputs / 8)]
//          = bias, scale, shift; ranges u32 [outputs / 8, 2]; addend, gate, y, raw tiled, each with its own feature count and offset.
// Error    (24 + inputs / 24) units in the last place of sum |weight x| at most; 4 + inputs / 96 on random signs, with all that follows
//          (tests/cases/masked-linear.ts).
// Paper    Germain et al. 2015, arXiv:1502.03509 (masks); Papamakarios et al. 2017, arXiv:1705.07057.

#import "lib/masked-linear.wgsl"

const RUN = 24u; // inputs of one partial sum

fn rectify(v: vec4<f32>) -> vec4<f32> { return select(v, vec4<f32>(0.0), vec4<bool>(ACTIVATION == ACT_RELU) & (v < vec4<f32>(0.0))); }

@compute @workgroup_size(8, 4)
fn masked_linear(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>) {
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
      let w0 = weight[w];
      let w1 = weight[w + 1u];
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
    let o = tile * 8u + i / 2u;
    if (o >= params.outputs) { break; }
    finish(o, group + (i % 2u) * 8u, y_from, sums[i]);
  }
}
