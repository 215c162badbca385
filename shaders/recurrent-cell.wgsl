// Cells of recurrent networks, elementwise: from the gates, which one masked-linear makes of the step's input and the last hidden state,
// to the new state. s = sigmoid.
//
//   lstm   gates = i, f, g, o:     c' = s(f) c + s(i) tanh(g)        h' = s(o) tanh(c')
//   gru    gates = r, z, n, m:     t  = tanh(n + s(r) m)             h' = t + s(z) (h - t)
//
// n reads the input alone and m the hidden state alone, each with its bias (torch.nn.GRU); every other gate reads both. The hidden state
// goes to two places: to the features from memory_at on of the tensor that feeds the same layer at the next step, and to the first
// features of the tensor that feeds whatever comes next at this step.
//
// Shapes      gates tiled [4 hidden, rows]; cell tiled [hidden, rows]; memory tiled [memory_features, rows];
//             output tiled [output_features, rows]. cell and memory are read and replaced.
// Error       1e-6 relative to max(1, |value|) (tests/cases/recurrent-cell.ts).
// Derivative  With bars for cotangents, i, f, o, r, z the sigmoids, g, t the tanhs, and u = tanh(c'):
//             lstm   c~ = c'bar + hbar o (1 - u^2);  cbar = c~ f;  gates: i: c~ g i (1 - i);  f: c~ c f (1 - f);  g: c~ i (1 - g^2);
//                    o: hbar u o (1 - o)
//             gru    t~ = hbar (1 - z) (1 - t^2);  hbar_old = hbar z;  gates: r: t~ m r (1 - r);  z: hbar (h - t) z (1 - z);  n: t~;  m: t~ r
//             from slopes that the activation kernel gives and products of scale-tangents; the gates' cotangent then goes through
//             the transposed masked-linear, and its part of the hidden state is added to hbar of the step before.
// Paper       Hochreiter and Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735, with the forget gate of Gers et al. 2000,
//             doi:10.1162/089976600300015015; Cho et al. 2014, arXiv:1406.1078.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/math.wgsl"

struct Params {
  hidden: u32,
  memory_features: u32,
  memory_at: u32,
  output_features: u32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> gates: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> cell: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> memory: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> output: array<vec4<f32>>;

@compute @workgroup_size(16, 4)
fn lstm(@builtin(global_invocation_id) id: vec3<u32>) {
  let j = id.y;
  if (id.x * 4u >= rows() || j >= params.hidden) { return; }
  let gate = tiled(4u * params.hidden, id.x) + j * TILE4;
  let next = params.hidden * TILE4;
  let at = tiled(params.hidden, id.x) + j * TILE4;
  let kept = accurate_sigmoid(gates[gate + next]) * cell[at];
  let c = kept + accurate_sigmoid(gates[gate]) * accurate_tanh(gates[gate + 2u * next]);
  let h = accurate_sigmoid(gates[gate + 3u * next]) * accurate_tanh(c);
  cell[at] = c;
  memory[tiled(params.memory_features, id.x) + (params.memory_at + j) * TILE4] = h;
  output[tiled(params.output_features, id.x) + j * TILE4] = h;
}

@compute @workgroup_size(16, 4)
fn gru(@builtin(global_invocation_id) id: vec3<u32>) {
  let j = id.y;
  if (id.x * 4u >= rows() || j >= params.hidden) { return; }
  let gate = tiled(4u * params.hidden, id.x) + j * TILE4;
  let next = params.hidden * TILE4;
  let at = tiled(params.memory_features, id.x) + (params.memory_at + j) * TILE4;
  let t = accurate_tanh(gates[gate + 2u * next] + accurate_sigmoid(gates[gate]) * gates[gate + 3u * next]);
  let h = t + accurate_sigmoid(gates[gate + next]) * (memory[at] - t);
  memory[at] = h;
  output[tiled(params.output_features, id.x) + j * TILE4] = h;
}
