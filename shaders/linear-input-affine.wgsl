// The gradient by the inputs of a flow's layer, and that of the affine transformer which gave them, in one dispatch: a fusion of linear-input-backward.wgsl
// and affine-backward.wgsl. All outputs of a row are sums of one invocation, as in masked-linear-quad.wgsl, and stay there.
//
//   g[o] = before[o] + sum over k of weight[k, o] x[k]                        without ADD no before
//   d_x[from[j]], d_parameters[j], d_parameters[SLOTS + j]                    of each slot j by g[to[j]], as affine-backward.wgsl has them
//   d_x[from[i]] = g[to[i]]                                                   features that pass
//
// Shapes      x tiled [x_features, rows], read from feature x_at on; weight f32 as linear-input-backward.wgsl; ranges u32: [ceil(outputs / 8), 2] as there,
//             then (from, to) of each slot, then of each feature that passes; value, before, d_x tiled [outputs, rows]; parameters, d_parameters tiled
//             [parameter_features, rows]. At most 128 outputs. The gradient by each log-det term is one number.
// Error       that of its parts (tests/cases/linear-input-affine.ts).
// Derivative  as affine-backward.wgsl.
// Paper       Papamakarios et al. 2017, arXiv:1705.07057; Dinh et al. 2017, arXiv:1605.08803.

enable subgroups;

#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/ranges.wgsl"
#import "lib/affine.wgsl"
#import "lib/affine-backward.wgsl"
#import "lib/weights.wgsl"
#import "lib/turned-weights.wgsl"
#import "lib/linear-quad.wgsl"
#import "lib/kept-sums.wgsl"

struct Params {
  inputs: u32,
  outputs: u32,
  x_features: u32,
  x_at: u32,
  y_features: u32, // of what the transformer took and gave: the outputs
  y_at: u32,
  slots: u32,
  parameter_features: u32,
  log_gradient: f32,
}

override ADD: bool = false;
override PASSES: bool = false; // some features have no slot

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> ranges: array<u32>;
@group(0) @binding(5) var<storage, read> value: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> parameters: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read> before: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> d_x: array<vec4<f32>>;
@group(0) @binding(9) var<storage, read_write> d_parameters: array<vec4<f32>>;

fn gradient_by(o: u32, r: u32, at: u32) -> vec4<f32> {
  if (ADD) { return before[at + o * TILE4] + sum_of(o, r); }
  return sum_of(o, r);
}

/// Rows beyond the batch are written, too: a tile is whole.
fn finish_block(first_output: u32, last_output: u32, group: u32, at: vec2<u32>) {
  let places = (params.outputs + 7u) / 8u * 2u;
  let p_at = vec2<u32>(tiled(params.parameter_features, group), tiled(params.parameter_features, group + 4u));
  var j = 0u;
  loop {
    let from_at = ranges[places + 2u * j] * TILE4;
    let of_y = ranges[places + 2u * j + 1u];
    #repeat r 0 2:
    {
      let p = p_at[$r] + j * TILE4;
      var u = vec4<f32>(0.0);
      if (SCALE != SCALE_NONE) { u = parameters[p + params.slots * TILE4]; }
      let gradient = gradient_by(of_y, $r, at[$r]);
      let back = turn_back(value[at[$r] + from_at], parameters[p], u, gradient, vec4<f32>(params.log_gradient));
      d_x[at[$r] + from_at] = back.x;
      d_parameters[p] = back.shift;
      if (SCALE != SCALE_NONE) { d_parameters[p + params.slots * TILE4] = back.scale; }
    }
    #end;
    continuing {
      j++;
      break if j == params.slots;
    }
  }
  if (PASSES) {
    var i = params.slots;
    loop {
      #repeat r 0 2:
      d_x[at[$r] + ranges[places + 2u * i] * TILE4] = gradient_by(ranges[places + 2u * i + 1u], $r, at[$r]);
      #end;
      continuing {
        i++;
        break if i == params.outputs;
      }
    }
  }
}

@compute @workgroup_size(4)
fn linear_input_affine(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>, @builtin(subgroup_invocation_id) id: u32) {
  multiply_quad(wg, lane, id % 4u);
}
