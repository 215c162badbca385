// A plain network as one invocation evaluates it for 8 rows (row groups g and g + 8 of a tile, as in masked-linear), for kernels that
// need it many times over: what lies between its layers stays in `state`, and no dispatch parts them.
//
//   values     h <- W_l act_l(h) + b_l        + side at the first layer: the context's projection
//   tangents   t <- W_l (act_l'(h) t)         with the slopes that the last pass of values kept (SLOPES)
//
// The host (src/flows/bijectors/residual-plan.ts) writes LAYER words for each layer. Tangents may go through others than values did: those of the
// transposed network (src/kernels/rules/contraction.ts). The file that imports this declares `params` with
// layers, width (widest input or output of a layer), side_features. Sums are those of masked-linear, in runs of 24.
#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/slope.wgsl"

const LAYER = 7u; // words: inputs, outputs, first vec4 of the weights, first bias, feature of the slopes, whether act stands before it, place of beta among the biases
const RUN = 24u;  // inputs of one partial sum

override ACTIVATION: u32 = 0u;
override SIDE: bool = false;
override SLOPES: bool = false;

@group(0) @binding(2) var<storage, read_write> state: array<vec4<f32>>; // features 0 … width: what a layer reads; then what it writes
@group(0) @binding(3) var<storage, read> weight: array<vec4<f32>>;      // strips of 8 outputs, as in masked-linear
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read> layers: array<u32>;
@group(0) @binding(6) var<storage, read> side: array<vec4<f32>>;

/// The network of the layers from `begin` on, on the features of `state` from `from` on; its result is in the features from `width` on.
fn evaluate(first: u32, side_at: u32, from_feature: u32, tangent: bool, begin: u32) {
  var source = from_feature;
  // Output o of row group g in 2 o + g. Declared once and cleared by hand: SwiftShader does not clear an array declared in a loop.
  var sums: array<vec4<f32>, 16>;
  for (var layer = begin; layer < begin + params.layers; layer++) {
    let word = layer * LAYER;
    let inputs = layers[word];
    let outputs = layers[word + 1u];
    let bias_at = layers[word + 3u];
    let slopes = layers[word + 4u];
    let activated = layers[word + 5u] == 1u;
    let beta = bias[layers[word + 6u]];
    for (var i = 0u; i < 2u * inputs; i++) {
      let at = first + (i >> 1u) * TILE4 + (i & 1u) * 8u;
      var v = state[at + source * TILE4];
      if (activated && tangent) { v *= state[at + slopes * TILE4]; }
      if (activated && !tangent) {
        if (SLOPES) { state[at + slopes * TILE4] = slope_of(ACTIVATION, v, beta); }
        v = activate_with(ACTIVATION, v, beta);
      }
      state[at] = v;
    }
    var w = layers[word + 2u];
    for (var strip = 0u; strip * 8u < outputs; strip++) {
      for (var i = 0u; i < 16u; i++) { sums[i] = vec4<f32>(0.0); }
      var at = first;
      for (var start = 0u; start < inputs; start += RUN) {
        let end = min(start + RUN, inputs);
        var a0 = vec4<f32>(0.0); var b0 = vec4<f32>(0.0);
        var a1 = vec4<f32>(0.0); var b1 = vec4<f32>(0.0);
        var a2 = vec4<f32>(0.0); var b2 = vec4<f32>(0.0);
        var a3 = vec4<f32>(0.0); var b3 = vec4<f32>(0.0);
        var a4 = vec4<f32>(0.0); var b4 = vec4<f32>(0.0);
        var a5 = vec4<f32>(0.0); var b5 = vec4<f32>(0.0);
        var a6 = vec4<f32>(0.0); var b6 = vec4<f32>(0.0);
        var a7 = vec4<f32>(0.0); var b7 = vec4<f32>(0.0);
        for (var k = start; k < end; k++) {
          let x0 = state[at];
          let x1 = state[at + 8u];
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
      for (var i = 0u; i < 16u; i++) {
        let o = strip * 8u + (i >> 1u);
        let g = (i & 1u) * 8u;
        if (o >= outputs) { break; }
        var v = sums[i];
        if (!tangent) {
          v += bias[bias_at + o];
          if (SIDE && layer == 0u) { v += side[side_at + o * TILE4 + g]; }
        }
        state[first + (params.width + o) * TILE4 + g] = v;
      }
    }
    source = params.width;
  }
}
