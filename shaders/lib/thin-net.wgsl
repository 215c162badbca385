// Up to three linear layers in one dispatch, where at most four features go in or come out (FRONT, BEHIND): what thin-net.wgsl, thin-net-affine.wgsl and thin-net-backward.wgsl share.
// The importer says what becomes of a sum (`front_value`, `wide_value`, `finish_row`), where weights lie, and imports lib/net-weights.wgsl or lib/turned-weights.wgsl.
//
// An invocation owns 8 rows from end to end, so that nothing is exchanged but weights, within a quad. A thin layer alone would read or write all units of the
// wide one beside it to multiply each by a few numbers; here they are at hand.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/quad-turns.wgsl"

struct Params {
  inputs: u32,     // of the wide layer
  outputs: u32,
  x_features: u32,
  x_at: u32,
  y_features: u32,
  y_at: u32,
  front_weight: u32, // where in `weight` each layer's weights and biases begin, in vec4
  front_bias: u32,
  wide_weight: u32,
  wide_bias: u32,
  back_weight: u32,
  back_bias: u32,
  front: u32, // inputs of the layer in front of the wide one: 1 to 4, or 0 without
  back: u32,  // outputs of the layer behind it
  features: u32, // of the transformer behind all of them, in thin-net-affine.wgsl; else 0
  slots: u32,
  read_places: u32, // features that it reads, of each slot and then of what passes: four bits each; and where it leaves them
  left_places: u32,
}

override FRONT: u32 = 0u; // params.front and back
override BEHIND: u32 = 0u;
override KEEP_FRONT: bool = false; // what the layer in front gives is written
override KEEP_WIDE: bool = false;
override FRONT_ACTIVATION: u32 = 0u;
override ACTIVATION: u32 = 0u; // of the wide layer

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> front: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> wide: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> y: array<vec4<f32>>;

// Sums of the layer behind, output j of row group r in 2 j + r: over four units of the wide layer, and from 8 on over all fours so far. In memory, as an array with an index
// that is no number: as values that a loop carries they would take 16 instructions each a turn.
var<private> behind: array<vec4<f32>, 16>;
var<private> back_weights: vec4<f32>; // by which the unit whose weights this invocation loads goes into each output behind

fn run_thin_net(wg: vec3<u32>, lane: vec3<u32>, own: u32) {
  if (wg.x * TILE / 2u >= rows()) { return; }
  let group = wg.x * 8u + lane.x; // this invocation's rows: group, and group + 4 of the same half of a row tile
  #repeat r 0 2:
  let x_at$r = tiled(params.x_features, group + $r * 4) + params.x_at * TILE4;
  let front_at$r = tiled(params.inputs, group + $r * 4);
  let wide_at$r = tiled(params.outputs, group + $r * 4);
  #end;
  if (FRONT == 0u) {
    var k = 0u;
    loop {
      #repeat i 0 4:
      #repeat r 0 2:
      xs[(k + $i) * 2u + $r] = select(vec4<f32>(0.0), x[x_at$r + (k + $i) * TILE4], k + $i < params.inputs);
      #end;
      #end;
      continuing {
        k += 4u;
        break if k >= 8u * EIGHTS;
      }
    }
  } else {
    #repeat j 0 4:
    #repeat r 0 2:
    var in$j$r = vec4<f32>(0.0);
    if ($j < FRONT) { in$j$r = x[x_at$r + $j * TILE4]; }
    #end;
    #end;
    var k = 0u;
    loop {
      #repeat j 0 4:
      var w$j = vec4<f32>(0.0);
      if ($j < FRONT) { w$j = front_weights(k, $j); }
      #end;
      var bias = front_biases(k);
      // A loop in which weights move up, not four units written out, which take longer to compile.
      var unit = k;
      loop {
        #repeat r 0 2:
        {
          var sum = vec4<f32>(0.0);
          #repeat j 0 4:
          if ($j < FRONT) { sum = fma(in$j$r, vec4<f32>(w$j.x), sum); }
          #end;
          let at = front_at$r + unit * TILE4;
          let value = front_value(at, sum + bias.x);
          if (KEEP_FRONT && unit < params.inputs) { front[at] = value; }
          xs[unit * 2u + $r] = select(vec4<f32>(0.0), value, unit < params.inputs);
        }
        #end;
        #repeat j 0 4:
        if ($j < FRONT) { w$j = w$j.yzwx; }
        #end;
        bias = bias.yzwx;
        continuing {
          unit++;
          break if unit == k + 4u;
        }
      }
      continuing {
        k += 4u;
        break if k >= 8u * EIGHTS;
      }
    }
  }
  behind[own] = vec4<f32>(0.0);
  var o = 0u;
  loop {
    back_weights = vec4<f32>(0.0);
    #repeat j 0 4:
    if ($j < BEHIND && o + own < params.outputs) { back_weights[$j] = back_weight(o + own, $j); }
    #end;
    multiply_held(weights_from(params.wide_weight, o, 0u, own), params.inputs, 0u, o, own, group, vec2<u32>(wide_at$0, wide_at$1));
    #repeat j 0 4:
    #repeat r 0 2:
    if ($j < BEHIND) {
      behind[8 + $j * 2 + $r] += behind[$j * 2 + $r];
      behind[$j * 2 + $r] = vec4<f32>(0.0);
    }
    #end;
    #end;
    continuing {
      o += 4u;
      break if o >= params.outputs;
    }
  }
  #repeat r 0 2:
  finish_row(group + $r * 4, tiled(params.y_features, group + $r * 4) + params.y_at * TILE4, behind[8 + $r], behind[10 + $r], behind[12 + $r], behind[14 + $r]);
  #end;
}

/// Takes the sums of output o of the wide layer: it is multiplied by the layer behind while it is at hand.
fn take(into: u32, o: u32, own: u32, group: u32, wide_at: vec2<u32>, sum$0: vec4<f32>, sum$1: vec4<f32>) {
  let w = of_quad(back_weights, own ^ (o & 3u));
  let there = o < params.outputs;
  let bias = wide_bias(min(o, params.outputs - 1u));
  #repeat r 0 2:
  {
    let at = wide_at[$r] + o * TILE4;
    let value = select(vec4<f32>(0.0), wide_value(at, sum$r + bias), there);
    if (KEEP_WIDE && there) { wide[at] = value; }
    #repeat j 0 4:
    if ($j < BEHIND) { behind[$j * 2 + $r] = fma(value, vec4<f32>(w[$j]), behind[$j * 2 + $r]); }
    #end;
  }
  #end;
}
