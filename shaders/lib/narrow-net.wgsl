// A whole network of narrow linear layers for one tile of rows: what narrow-net-*.wgsl share. Its values never leave workgroup memory.
//
//   u = x                                                   inputs[0] features
//   v[o] = sum over k in range(o) of weight[k, o] u[k]  +  bias[o]  (+ addend[o], in layer addend_layer)
//   u[o] = activation(v[o] scale[o] + shift[o])             each layer but the last; NORM: batch norm with running statistics
//   u = v                                                   the last: a transformer's parameters
//
// A workgroup owns 8 row groups of up to 64 units, or 4 of up to 128 (`groups`): 8 KiB, half of the default limit. Each of its 64 invocations computes
// 8 outputs of one row group, with the order of sums of masked-linear.wgsl, so that the results are the same. Two barriers a layer.
// SwiftShader clears workgroup memory word by word: of 16 KiB a pipeline took 2.4 to 3.8 s to compile, of 1 KiB 0.4 s.
//
//   y[f] = transform(value[f]; parameters of slot j)        where plan[slot_at + f] = j
//   y[f] = value[f]                                         where it is NONE
//   total += sum over j of log|dy/dx|                       nats; HAS_LOG_DET
//
// `transform` is the importer's. The terms take the place of each slot's first parameter, which nobody else reads.
//
// plan: LAYER_WORDS of each layer, then the ranges of all, then the slot of each feature.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/activation.wgsl"

struct Params {
  layers: u32,
  x_features: u32,
  addend_layer: u32,
  addend_features: u32,
  features: u32,
  slots: u32,
  slot_at: u32,
  groups: u32,
}

override ACTIVATION: u32 = 1u;
override ADDEND: bool = false;
override NORM: bool = false;
override HAS_LOG_DET: bool = true;

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read> plan: array<u32>;
@group(0) @binding(6) var<storage, read> addend: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read> value: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(9) var<storage, read_write> total: array<vec4<f32>>;

const NONE = 0xffffffffu;
const LANES = 64u;
const LAYER_WORDS = 5u; // inputs, outputs, vec4 index of its weights, index of its biases, index of its ranges in `plan`
const RUN = 24u;        // inputs of one partial sum

var<workgroup> units: array<vec4<f32>, 512>; // unit u of the workgroup's row group g in u groups + g

/// Runs the network for row groups from `first` on, and leaves its last layer in `units`, for all invocations to read.
fn run_net(first: u32, lane: u32) {
  let groups = params.groups;
  let mine = lane % groups; // this invocation's row group
  let strip = lane / groups;
  let x_from = tiled(params.x_features, first);
  for (var i = lane; i < plan[0] * groups; i += LANES) { units[i] = x[x_from + i / groups * TILE4 + i % groups]; }
  workgroupBarrier();
  var sums: array<vec4<f32>, 8>;
  for (var layer = 0u; layer < params.layers; layer++) {
    let words = layer * LAYER_WORDS;
    let inputs = plan[words];
    let outputs = plan[words + 1u];
    let computes = strip * 8u < outputs;
    for (var i = 0u; i < 8u; i++) { sums[i] = vec4<f32>(0.0); }
    if (computes) {
      let ranges = plan[words + 4u] + strip * 2u;
      let begin = plan[ranges];
      let end = plan[ranges + 1u];
      var w = plan[words + 2u] + (strip * inputs + begin) * 2u;
      var at = begin * groups + mine;
      for (var start = begin; start < end; start += RUN) {
        let stop = min(start + RUN, end);
        var a0 = vec4<f32>(0.0); var a1 = vec4<f32>(0.0);
        var a2 = vec4<f32>(0.0); var a3 = vec4<f32>(0.0);
        var a4 = vec4<f32>(0.0); var a5 = vec4<f32>(0.0);
        var a6 = vec4<f32>(0.0); var a7 = vec4<f32>(0.0);
        for (var k = start; k < stop; k++) {
          let u = units[at];
          let w0 = weight[w];
          let w1 = weight[w + 1u];
          at += groups;
          w += 2u;
          a0 = fma(vec4<f32>(w0.x), u, a0); a1 = fma(vec4<f32>(w0.y), u, a1);
          a2 = fma(vec4<f32>(w0.z), u, a2); a3 = fma(vec4<f32>(w0.w), u, a3);
          a4 = fma(vec4<f32>(w1.x), u, a4); a5 = fma(vec4<f32>(w1.y), u, a5);
          a6 = fma(vec4<f32>(w1.z), u, a6); a7 = fma(vec4<f32>(w1.w), u, a7);
        }
        sums[0] += a0; sums[1] += a1; sums[2] += a2; sums[3] += a3;
        sums[4] += a4; sums[5] += a5; sums[6] += a6; sums[7] += a7;
      }
    }
    workgroupBarrier(); // all have read what the next lines overwrite
    if (computes) {
      let bias_at = plan[words + 3u];
      let padded = (outputs + 7u) / 8u * 8u;
      let addend_from = tiled(params.addend_features, first + mine);
      for (var i = 0u; i < 8u; i++) {
        let o = strip * 8u + i;
        if (o >= outputs) { break; }
        var v = sums[i] + bias[bias_at + o];
        if (ADDEND) { if (layer == params.addend_layer) { v += addend[addend_from + o * TILE4]; } }
        if (layer + 1u < params.layers) {
          if (NORM) { v = v * bias[bias_at + padded + o] + bias[bias_at + 2u * padded + o]; }
          v = activate(ACTIVATION, v);
        }
        units[o * groups + mine] = v;
      }
    }
    workgroupBarrier();
  }
}

/// The network, the transformer of every feature, and the row's log-det in the order of row-sum.wgsl.
fn run_all(first: u32, lane: u32) {
  let groups = params.groups;
  run_net(first, lane);
  let at = tiled(params.features, first);
  for (var i = lane; i < params.features * groups; i += LANES) {
    let f = i / groups;
    let g = i % groups;
    if ((first + g) * 4u >= rows()) { continue; }
    let j = plan[params.slot_at + f];
    var v = value[at + f * TILE4 + g];
    if (j != NONE) {
      let p = j * groups + g;
      let moved = transform(v, p, params.slots * groups);
      v = moved.value;
      if (HAS_LOG_DET) { units[p] = moved.log_det; }
    }
    y[at + f * TILE4 + g] = v;
  }
  if (HAS_LOG_DET) {
    workgroupBarrier();
    if (lane >= groups || (first + lane) * 4u >= rows()) { return; }
    var sum = vec4<f32>(0.0);
    for (var start = 0u; start < params.slots; start += 8u) {
      var part = vec4<f32>(0.0);
      for (var j = start; j < min(start + 8u, params.slots); j++) { part += units[j * groups + lane]; }
      sum += part;
    }
    total[first + lane] += sum;
  }
}
