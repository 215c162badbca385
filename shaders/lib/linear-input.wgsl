// What both kernels of the gradient by the inputs of a linear layer share: parameters, buffers, and what follows the sum. linear-input-backward.wgsl has
// the equation.
#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/ranges.wgsl"
#import "lib/value-slope-backward.wgsl"

struct Params {
  inputs: u32,
  outputs: u32,
  x_features: u32,
  x_at: u32,
  y_features: u32,
  y_at: u32,
  blocks: u32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> ranges: array<u32>;
@group(0) @binding(5) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> source: array<vec4<f32>>;

override ACTIVATION: u32 = 0u;
override ADD: bool = false;

fn through(at: u32, v: vec4<f32>) -> vec4<f32> {
  if (ADD) { return y[at] + v; }
  if (ACTIVATION == 0u) { return v; }
  return slope_from_value(ACTIVATION, source[at]) * v;
}

/// Writes output `o` of a row group from its sum. `y_at`: where output 0 goes.
fn finish_at(o: u32, g: u32, y_at: u32, sum: vec4<f32>) {
  let at = y_at + o * TILE4;
  y[at] = through(at, sum);
}
