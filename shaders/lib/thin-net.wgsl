// Up to three linear layers in one dispatch, where at most four features go in or come out (FRONT, BEHIND): what thin-net.wgsl, thin-net-affine.wgsl and thin-net-backward.wgsl share.
// The importer says what becomes of a sum (`front_value`, `wide_value`, `finish_row`), where weights lie, and imports lib/layer-weights.wgsl or lib/turned-weights.wgsl.
//
// An invocation owns 8 rows from end to end, so that nothing is exchanged but weights, within a quad. A thin layer alone would read or write all units of the
// wide one beside it to multiply each by a few numbers; here they are at hand.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/quad-product.wgsl"

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
  // Sums of the layer behind, apart for each of the four outputs that pass in turn: in another order for each invocation of a quad, a row's bits would depend
  // on where in a batch it is. Added pair by pair, they do not.
  #repeat j 0 4:
  #repeat s 0 4:
  #repeat r 0 2:
  var out$j$s$r = vec4<f32>(0.0);
  #end;
  #end;
  #end;
  var o = 0u;
  loop {
    multiply_held(weights_from(params.wide_weight, o, 0u, own), params.inputs);
    #repeat j 0 4:
    var b$j$0 = 0.0;
    if ($j < BEHIND && o + own < params.outputs) { b$j$0 = back_weight(o + own, $j); }
    let b$j$1 = quadSwapX(b$j$0);
    let b$j$2 = quadSwapY(b$j$0);
    let b$j$3 = quadSwapDiagonal(b$j$0);
    #end;
    #repeat s 0 4:
    {
      let feature = o + (own ^ $s);
      let there = feature < params.outputs;
      let bias = wide_bias(min(feature, params.outputs - 1u));
      #repeat r 0 2:
      {
        let at = wide_at$r + feature * TILE4;
        let value = select(vec4<f32>(0.0), wide_value(at, product[$s * 2 + $r] + bias), there);
        if (KEEP_WIDE && there) { wide[at] = value; }
        #repeat j 0 4:
        if ($j < BEHIND) { out$j$s$r = fma(value, vec4<f32>(b$j$s), out$j$s$r); }
        #end;
      }
      #end;
    }
    #end;
    continuing {
      o += 4u;
      break if o >= params.outputs;
    }
  }
  #repeat r 0 2:
  #repeat j 0 4:
  let back$j$r = (out$j$0$r + out$j$1$r) + (out$j$2$r + out$j$3$r);
  #end;
  finish_row(group + $r * 4, tiled(params.y_features, group + $r * 4) + params.y_at * TILE4, back$0$r, back$1$r, back$2$r, back$3$r);
  #end;
}
