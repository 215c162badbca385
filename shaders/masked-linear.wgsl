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

#import "lib/weights.wgsl"
#import "lib/linear-strip.wgsl"

@compute @workgroup_size(8, 4)
fn masked_linear(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>) {
  multiply_strip(wg, lane);
}
