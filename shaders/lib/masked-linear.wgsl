// What every variant of the masked linear layer shares (masked-linear.wgsl has the equation): parameters, buffers, and what follows the sum.
// A variant differs in how many rows and outputs an invocation takes and in the order of its sums; it imports lib/weights.wgsl or
// lib/weights-half.wgsl too.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/activation.wgsl"
#import "lib/ranges.wgsl"

struct Params {
  inputs: u32,
  outputs: u32,
  x_features: u32,
  x_at: u32,
  addend_features: u32,
  addend_at: u32,
  gate_features: u32,
  gate_at: u32,
  y_features: u32,
  y_at: u32,
  raw_features: u32,
  blocks: u32,
}

override ACTIVATION: u32 = 0u;
override GATE: bool = false;
override ADDEND: bool = false;
override RAW: bool = false;
override SCALE: bool = false;

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read> ranges: array<u32>;
@group(0) @binding(6) var<storage, read> addend: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read> gate: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(9) var<storage, read_write> raw: array<vec4<f32>>;

/// Writes output `o` of row group `g` from its sum. `y_from`: feature of the block's first output.
fn finish(o: u32, g: u32, y_from: u32, sum: vec4<f32>) { finish_at(o, g, tiled(params.y_features, g) + y_from * TILE4, sum); }

/// The same, given where the block's first output of the row group goes.
fn finish_at(o: u32, g: u32, y_at: u32, sum: vec4<f32>) {
  let padded = (params.outputs + 7u) / 8u * 8u;
  var v = sum + bias[o];
  if (GATE) { v *= accurate_sigmoid(gate[tiled(params.gate_features, g) + (params.gate_at + o) * TILE4]); }
  if (ADDEND) { v += addend[tiled(params.addend_features, g) + (params.addend_at + o) * TILE4]; }
  if (RAW) { raw[tiled(params.raw_features, g) + o * TILE4] = v; }
  if (SCALE) { v = v * bias[padded + o] + bias[2u * padded + o]; }
  y[y_at + o * TILE4] = activate(ACTIVATION, v);
}
