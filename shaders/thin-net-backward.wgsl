// The gradient by the inputs of layers in a row, from the last to the first, where at most four features go in or come out. A fusion of
// linear-input-backward.wgsl, whose equation is here three times, with the values of activations in `front_source` and `wide_source`:
//
//   d_w = activation_front'(w) (Uᵀ d_y)      FRONT features of d_y, here x; without it x is d_w
//   d_h = activation'(h) (Wᵀ d_w)            the wide layer, turned round: up to 64 outputs
//   d_x += Vᵀ d_h                            BEHIND features, here y; ADD: to what is there
//
// Shapes      as thin-net.wgsl, `inputs` and `outputs` turned round; weight as the layers' own, without biases.
// Error       of each layer (8 + inputs / 8) units in the last place of the sum of its absolute terms at most, of the last (4 + outputs / 4)
//             (tests/cases/thin-net-backward.ts).
// Derivative  none: second derivatives go through masked_linear.

enable subgroups;

#import "lib/value-slope-backward.wgsl"
#import "lib/weights.wgsl"
#import "lib/turned-weights.wgsl"
#import "lib/thin-net.wgsl"

@group(0) @binding(7) var<storage, read> front_source: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read> wide_source: array<vec4<f32>>;

override ADD: bool = false;

/// Of a layer of up to eight outputs, inputs k … k + 3 for output j.
fn front_weights(k: u32, j: u32) -> vec4<f32> {
  let first = params.front_weight + k * 2u;
  return vec4<f32>(weight[first][j], weight[first + 2u][j], weight[first + 4u][j], weight[first + 6u][j]);
}

fn front_biases(k: u32) -> vec4<f32> { return vec4<f32>(0.0); }

fn front_value(at: u32, sum: vec4<f32>) -> vec4<f32> {
  if (FRONT_ACTIVATION == 0u) { return sum; }
  return slope_from_value(FRONT_ACTIVATION, front_source[at]) * sum;
}

fn wide_bias(o: u32) -> f32 { return 0.0; }

fn wide_value(at: u32, sum: vec4<f32>) -> vec4<f32> {
  if (ACTIVATION == 0u) { return sum; }
  return slope_from_value(ACTIVATION, wide_source[at]) * sum;
}

fn back_weight(o: u32, j: u32) -> f32 { return weight[params.back_weight + ((o >> 3u) * BEHIND + j) * 2u + ((o >> 2u) & 1u)][o & 3u]; }

fn finish_back(at: u32, sum: vec4<f32>) {
  if (ADD) { y[at] += sum; } else { y[at] = sum; }
}

fn finish_row(group: u32, at: u32, s$0: vec4<f32>, s$1: vec4<f32>, s$2: vec4<f32>, s$3: vec4<f32>) {
  #repeat j 0 4:
  if ($j < BEHIND) { finish_back(at + $j * TILE4, s$j); }
  #end;
}

@compute @workgroup_size(4)
fn thin_net_backward(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>, @builtin(subgroup_invocation_id) id: u32) {
  run_thin_net(wg, lane, id % 4u);
}
