// A product with packed weights that the lanes of a subgroup load and broadcast: masked-linear-broadcast.wgsl says how and why. The importer binds what it multiplies and says where a
// weight lies (`place_of`).

#import "lib/chunk.wgsl"

override EIGHTS: u32 = 8u;    // eights of inputs that are held
override SHORT: bool = false; // runs of 8 inputs; otherwise of 24, 24 and 16

var<private> xs: array<vec4<f32>, 130>;          // input k of row group r in 2 k + r, and behind them two sums

/// `id` and `size`: an invocation within its subgroup, and of that.
fn multiply_broadcast(wg: vec3<u32>, lane: vec3<u32>, id: u32, size: u32) {
  if (wg.x * TILE >= rows()) { return; }
  let lanes = min(size, 8u);
  let own = id % lanes;
  let group = wg.x * TILE4 + lane.x; // this invocation's rows: group, and group + 8 of the same row tile
  let first_output = wg.y * BLOCK;
  let last_output = min(first_output + BLOCK, params.outputs);
  let x_at = tiled(params.x_features, group) + (params.x_at + wg.z * params.inputs) * TILE4;
  let y_at = tiled(params.y_features, group) + (params.y_at + wg.z * params.outputs) * TILE4;
  let joined = inputs_of(first_output, last_output);
  var start = joined.x;
  loop {
    let count = min(CHUNK, joined.y - start);
    var k = 0u;
    loop {
      let at = x_at + (start + k) * TILE4;
      let there = k < count;
      xs[2u * k] = select(vec4<f32>(0.0), x[at], there);
      xs[2u * k + 1u] = select(vec4<f32>(0.0), x[at + 8u], there);
      continuing {
        k++;
        break if k >= 8u * EIGHTS;
      }
    }
    let outputs = outputs_of(first_output, last_output, start);
    for (var o = outputs.x; o < outputs.y; o++) {
      #repeat e 0 8:
      var w$e$0 = 0.0;
      var w$e$1 = 0.0;
      if ($e < EIGHTS) {
        let k = $e * 8u + own;
        w$e$0 = select(0.0, weight_at(place_of(o, start + k)), k < count);
        if (lanes == 4u) { w$e$1 = select(0.0, weight_at(place_of(o, start + k + 4u)), k + 4u < count); }
      }
      #end;
      #repeat r 0 2:
      var run$r = vec4<f32>(0.0);
      var sum$r = vec4<f32>(0.0);
      #end;
      #repeat e 0 8:
      if ($e < EIGHTS) {
        #repeat i 0 8:
        {
          let w = vec4<f32>(subgroupShuffle(select(w$e$0, w$e$1, $i >= 4 && lanes == 4u), $i % lanes));
          #repeat r 0 2:
          run$r = fma(w, xs[$e * 16 + $i * 2 + $r], run$r);
          #end;
        }
        #end;
        if ($e + 1 == EIGHTS || SHORT || $e == 2 || $e == 5) {
          #repeat r 0 2:
          sum$r += run$r;
          run$r = vec4<f32>(0.0);
          #end;
        }
      }
      #end;
      // A store to memory here, or LLVM moves the additions on to where lane by lane needs them, and keeps all products until then: 1.6 of the time.
      #repeat r 0 2:
      xs[128 + $r] = sum$r;
      #end;
      let into = 2u * (o - first_output);
      #repeat r 0 2:
      if (MORE) { sums[into + $r] += xs[128 + $r]; } else { finish_at(o, group + $r * 8u, y_at + $r * 8u, xs[128 + $r]); }
      #end;
    }
    start += CHUNK;
    if (start >= joined.y) { break; }
  }
  if (!MORE) { return; }
  for (var o = first_output; o < last_output; o++) {
    let into = 2u * (o - first_output);
    #repeat r 0 2:
    finish_at(o, group + $r * 8u, y_at + $r * 8u, sums[into + $r]);
    #end;
  }
}
