// The last layer of a conditioner, the affine transformer that it parameterises, and the sum of its log-det terms, in one dispatch: a fusion of
// masked-linear.wgsl, affine.wgsl and row-sum.wgsl. All outputs of a row are sums of one invocation, as in masked-linear-quad.wgsl, and stay there.
//
//   p[o] = sum over k of weight[o, k] x[k] + bias[o]     written where they are kept (KEEP), for the way back
//   y[to[j]] = a value[from[j]] + t                      t = p[j], a from u = p[SLOTS + j] (lib/affine.wgsl), for each slot j
//   y[to[i]] = value[from[i]]                            features that pass
//   total += sum over j of log|dy/dx|                    nats, in blocks of 8; HAS_LOG_DET. Of FIRST: total = that sum
//
// Shapes      x tiled [x_features, rows], read from feature x_at on; weight f32 as lib/net-weights.wgsl, bias f32 as masked-linear.wgsl; ranges u32: [ceil(outputs / 8), 2] as there,
//             then (from, to) of each slot, then of each feature that passes; value, y tiled [features, rows]; total tiled [1, rows];
//             p tiled [y_features, rows], from y_at on. At most 128 outputs.
// Error       that of its parts (tests/cases/linear-affine.ts).
// Derivative  recorded in parts, since a fusion is chosen when a program is compiled.
// Paper       Dinh, Sohl-Dickstein, Bengio 2017, arXiv:1605.08803, section 3.2; Papamakarios et al. 2017, arXiv:1705.07057.

enable subgroups;

#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/ranges.wgsl"
#import "lib/affine.wgsl"
#import "lib/weights.wgsl"
#import "lib/net-weights.wgsl"
#import "lib/linear-quad.wgsl"
#import "lib/kept-sums.wgsl"

struct Params {
  inputs: u32,
  outputs: u32,
  x_features: u32,
  x_at: u32,
  y_features: u32, // of p
  y_at: u32,
  features: u32, // of value and y
  slots: u32,
}

override HAS_LOG_DET: bool = true;
override FIRST: bool = false; // nothing was summed before
override KEEP: bool = false;
override PASSES: bool = false; // some features have no slot

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read> ranges: array<u32>;
@group(0) @binding(6) var<storage, read> value: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> total: array<vec4<f32>>;
@group(0) @binding(9) var<storage, read_write> p: array<vec4<f32>>;

/// Output o of row group r.
fn output_of(o: u32, r: u32) -> vec4<f32> { return sum_of(o, r) + bias[o]; }

/// Rows beyond the batch are written, too: a tile is whole.
fn finish_block(first_output: u32, last_output: u32, group: u32, p_at: vec2<u32>) {
  let places = (params.outputs + 7u) / 8u * 2u;
  let at = vec2<u32>(tiled(params.features, group), tiled(params.features, group + 4u));
  #repeat r 0 2:
  var sum$r = vec4<f32>(0.0);
  #end;
  var first = 0u;
  loop {
    let last = min(first + 8u, params.slots);
    #repeat r 0 2:
    var part$r = vec4<f32>(0.0);
    #end;
    var j = first;
    loop {
      let from_at = ranges[places + 2u * j] * TILE4;
      let to_at = ranges[places + 2u * j + 1u] * TILE4;
      #repeat r 0 2:
      {
        let t = output_of(j, $r);
        var u = vec4<f32>(0.0);
        if (SCALE != SCALE_NONE) { u = output_of(params.slots + j, $r); }
        if (KEEP) {
          p[p_at[$r] + j * TILE4] = t;
          if (SCALE != SCALE_NONE) { p[p_at[$r] + (params.slots + j) * TILE4] = u; }
        }
        let moved = move_affine(value[at[$r] + from_at], t, u);
        y[at[$r] + to_at] = moved.value;
        part$r += moved.log_det;
      }
      #end;
      continuing {
        j++;
        break if j == last;
      }
    }
    #repeat r 0 2:
    sum$r += part$r;
    #end;
    continuing {
      first += 8u;
      break if first >= params.slots;
    }
  }
  if (HAS_LOG_DET) {
    #repeat r 0 2:
    if (FIRST) { total[group + $r * 4] = sum$r; } else { total[group + $r * 4] += sum$r; }
    #end;
  }
  if (PASSES) {
    var i = params.slots;
    loop {
      #repeat r 0 2:
      y[at[$r] + ranges[places + 2u * i + 1u] * TILE4] = value[at[$r] + ranges[places + 2u * i] * TILE4];
      #end;
      continuing {
        i++;
        break if i == params.features;
      }
    }
  }
}

@compute @workgroup_size(4)
fn linear_affine(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>, @builtin(subgroup_invocation_id) id: u32) {
  multiply_quad(wg, lane, id % 4u);
}
