// A product with packed weights, shared within a quad: masked-linear-quad.wgsl says how. The importer binds what it multiplies, imports where weights lie
// (lib/layer-weights.wgsl, lib/quad-weights.wgsl, lib/net-weights.wgsl or lib/turned-weights.wgsl) and says in `take` what becomes of an output's sum over a chunk, and in `finish_block` of all: by
// lib/quad-outputs.wgsl, or the first by lib/kept-sums.wgsl. Loops end at their foot, as in linear-backward-quad.wgsl.

#import "lib/chunk.wgsl"
#import "lib/quad-turns.wgsl"

override THIN: bool = false; // at most four outputs: nothing is held, and runs are of 8 inputs

/// `own`: which of its quad an invocation is.
fn multiply_quad(wg: vec3<u32>, lane: vec3<u32>, own: u32) {
  if (wg.x * TILE / 2u >= rows()) { return; }
  let group = wg.x * 8u + lane.x; // this invocation's rows: group, and group + 4 of the same half of a row tile
  let first_output = wg.y * BLOCK;
  let last_output = min(first_output + BLOCK, params.outputs);
  let y_from = (params.y_at + wg.z * params.outputs) * TILE4;
  let y_at = vec2<u32>(tiled(params.y_features, group), tiled(params.y_features, group + 4u)) + y_from;
  var joined = inputs_of(first_output, last_output);
  joined.x -= joined.x % 4u; // weights of fours of inputs may lie together
  if (THIN) {
    let x_at = vec2<u32>(tiled(params.x_features, group), tiled(params.x_features, group + 4u)) + (params.x_at + wg.z * params.inputs) * TILE4;
    #repeat s 0 4:
    #repeat r 0 2:
    var all$s$r = vec4<f32>(0.0);
    #end;
    #end;
    var k = joined.x;
    loop {
      #repeat s 0 4:
      #repeat r 0 2:
      var eight$s$r = vec4<f32>(0.0);
      #end;
      #end;
      #repeat h 0 2:
      {
        let w$0 = held_weights(weights_from(0u, 0u, k, own), $h * 4u, joined.y - k);
        let w$1 = quadSwapX(w$0);
        let w$2 = quadSwapY(w$0);
        let w$3 = quadSwapDiagonal(w$0);
        #repeat i 0 4:
        #repeat r 0 2:
        {
          let at = k + $h * 4u + $i;
          let v = select(vec4<f32>(0.0), x[x_at[$r] + at * TILE4], at < joined.y);
          #repeat s 0 4:
          eight$s$r = fma(v, vec4<f32>(w$s[$i]), eight$s$r);
          #end;
        }
        #end;
        #end;
      }
      #end;
      #repeat s 0 4:
      #repeat r 0 2:
      all$s$r += eight$s$r;
      #end;
      #end;
      continuing {
        k += 8u;
        break if k >= joined.y;
      }
    }
    // A loop in which sums move up, not eight written out, which take longer to compile.
    var s = 0u;
    loop {
      let o = own ^ s;
      take(o * 2u, o, own, group, y_at, all$0$0, all$0$1);
      #repeat r 0 2:
      all$0$r = all$1$r;
      all$1$r = all$2$r;
      all$2$r = all$3$r;
      #end;
      continuing {
        s++;
        break if s == 4u;
      }
    }
    finish_block(0u, last_output, group, y_at);
    return;
  }
  var start = joined.x;
  if (!RAGGED) { // whole chunks, none of which ends beyond the last input
    let held = 8u * EIGHTS;
    start = min(start, params.inputs - max(1u, (joined.y - joined.x + held - 1u) / held) * held);
  }
  loop {
    let count = min(CHUNK, joined.y - start);
    var r = 0u;
    loop {
      let at = tiled(params.x_features, group + r * 4u) + (params.x_at + wg.z * params.inputs + start) * TILE4;
      var k = 0u;
      loop {
        #repeat i 0 4:
        xs[(k + $i) * 2u + r] = select(vec4<f32>(0.0), x[at + (k + $i) * TILE4], k + $i < count);
        #end;
        continuing {
          k += 4u;
          break if k >= 8u * EIGHTS;
        }
      }
      continuing {
        r++;
        break if r == 2u;
      }
    }
    let outputs = outputs_of(first_output, last_output, start);
    if (outputs.x < outputs.y) {
      var o = outputs.x;
      loop {
        multiply_held(weights_from(0u, o, start, own), count, (o - first_output) * 2u, o, own, group, y_at);
        continuing {
          o += 4u;
          break if o >= outputs.y;
        }
      }
    }
    continuing {
      start += CHUNK;
      break if start >= joined.y;
    }
  }
  finish_block(first_output, last_output, group, y_at);
}
