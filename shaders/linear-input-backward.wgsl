// The gradient by the inputs of a linear layer: a product with its transposed weights. Inputs here are the outputs of the layer, so that its packed weights
// serve as they are: eight inputs of one output lie side by side.
//
//   y[o] = sum over k < inputs of W[k, o] x[k]          o < outputs; the same for `blocks` inputs side by side
//          times act'(v) of the layer before, from source[o] = act(v)          ACTIVATION
//   y[o] = y[o] + that sum                                                     ADD
//
// One invocation computes 16 outputs of 16 rows in registers, four inputs at a time as products of 4 × 4 matrices: four vec4 of x and of the
// weights each serve 16 vec4 multiply-adds, twice what masked-linear.wgsl makes of a load. Its order of summation is not that of the forward pass, whose bits
// are held to PyTorch's. Runs of inputs that the masks leave out are skipped, of two strips of 8 at a time.
//
// Shapes      x tiled [x_features, rows], read from feature x_at; weight f32 [inputs / 8, outputs, 8]; ranges u32 [outputs / 8, 2], the first
//             input of a strip of outputs, a multiple of 8, and one past the last; y tiled [y_features, rows], written from feature y_at on; source as y.
// Error       4 + inputs / 4 units in the last place of sum |W x| at most (tests/cases/linear-input-backward.ts).
// Derivative  none: second derivatives go through masked_linear.

#import "lib/weights.wgsl"
#import "lib/linear-input.wgsl"

/// Four inputs of a row group.
fn inputs_at(a: vec4<u32>) -> mat4x4<f32> { return mat4x4<f32>(x[a.x], x[a.y], x[a.z], x[a.w]); }

/// Weights of four outputs, a column each, by the four inputs of which some are there. `at`: those of the first output.
fn weights_at(at: u32, here: vec4<bool>) -> mat4x4<f32> {
  let none = vec4<f32>(0.0);
  return mat4x4<f32>(
    select(none, weight[at], here),
    select(none, weight[at + 2u], here),
    select(none, weight[at + 4u], here),
    select(none, weight[at + 6u], here),
  );
}

/// Output o of row groups 4 apart.
fn store(at: u32, o: u32, v0: vec4<f32>, v1: vec4<f32>, v2: vec4<f32>, v3: vec4<f32>) {
  if (o < params.outputs) {
    y[at] = through(at, v0);
    y[at + 4u] = through(at + 4u, v1);
    y[at + 8u] = through(at + 8u, v2);
    y[at + 12u] = through(at + 12u, v3);
  }
}

/// Four outputs from o on.
fn store4(at: u32, o: u32, v0: mat4x4<f32>, v1: mat4x4<f32>, v2: mat4x4<f32>, v3: mat4x4<f32>) {
  store(at, o, v0[0], v1[0], v2[0], v3[0]);
  store(at + TILE4, o + 1u, v0[1], v1[1], v2[1], v3[1]);
  store(at + 2u * TILE4, o + 2u, v0[2], v1[2], v2[2], v3[2]);
  store(at + 3u * TILE4, o + 3u, v0[3], v1[3], v2[3], v3[3]);
}

@compute @workgroup_size(4, 4)
fn linear_input(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>) {
  let tile = (wg.y * 4u + lane.y) * 2u; // of 8 outputs, and the one after it
  let group = wg.x * TILE4 + lane.x; // this invocation's rows: group, and group + 4, 8, 12 of the same row tile
  if (tile * 8u >= params.outputs || group * 4u >= rows()) { return; }
  let next = min(tile + 1u, (params.outputs - 1u) / 8u);
  let joined = union_of(ranges_of(tile), ranges_of(next));
  let first = joined.x;
  let last = joined.y;
  let x_from = tiled(params.x_features, group) + (params.x_at + wg.z * params.inputs) * TILE4;
  // Outputs 0 to 3, a column each, of the four row groups; then 4 to 7, 8 to 11 and 12 to 15.
  var a0 = mat4x4<f32>(); var a1 = mat4x4<f32>(); var a2 = mat4x4<f32>(); var a3 = mat4x4<f32>();
  var b0 = mat4x4<f32>(); var b1 = mat4x4<f32>(); var b2 = mat4x4<f32>(); var b3 = mat4x4<f32>();
  var c0 = mat4x4<f32>(); var c1 = mat4x4<f32>(); var c2 = mat4x4<f32>(); var c3 = mat4x4<f32>();
  var d0 = mat4x4<f32>(); var d1 = mat4x4<f32>(); var d2 = mat4x4<f32>(); var d3 = mat4x4<f32>();
  for (var k = first; k < last; k += 4u) {
    // Beyond the last input, its x is read again and met by zeros.
    let four = vec4<u32>(k) + vec4<u32>(0u, 1u, 2u, 3u);
    let here = four < vec4<u32>(last);
    let origin = min(four, vec4<u32>(last - 1u));
    let at = vec4<u32>(x_from) + origin * TILE4;
    let x0 = inputs_at(at);
    let x1 = inputs_at(at + vec4<u32>(4u));
    let x2 = inputs_at(at + vec4<u32>(8u));
    let x3 = inputs_at(at + vec4<u32>(12u));
    let w = (k >> 3u) * params.outputs * 2u + ((k >> 2u) & 1u);
    let low = weights_at(w + tile * 16u, here);
    a0 += x0 * low; a1 += x1 * low; a2 += x2 * low; a3 += x3 * low;
    let high = weights_at(w + tile * 16u + 8u, here);
    b0 += x0 * high; b1 += x1 * high; b2 += x2 * high; b3 += x3 * high;
    let third = weights_at(w + next * 16u, here);
    c0 += x0 * third; c1 += x1 * third; c2 += x2 * third; c3 += x3 * third;
    let fourth = weights_at(w + next * 16u + 8u, here);
    d0 += x0 * fourth; d1 += x1 * fourth; d2 += x2 * fourth; d3 += x3 * fourth;
  }
  let o = tile * 8u;
  let into = tiled(params.y_features, group) + (params.y_at + wg.z * params.outputs + o) * TILE4;
  store4(into, o, a0, a1, a2, a3);
  store4(into + 4u * TILE4, o + 4u, b0, b1, b2, b3);
  store4(into + 8u * TILE4, o + 8u, c0, c1, c2, c3);
  store4(into + 12u * TILE4, o + 12u, d0, d1, d2, d3);
}
