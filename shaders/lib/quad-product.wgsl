// The product of what a quad holds with four outputs' weights, written out; masked-linear-quad.wgsl says how. The importer imports where weights lie
// (lib/layer-weights.wgsl or lib/turned-weights.wgsl).

override SHORT: bool = false; // runs of 8 inputs; otherwise of 24, 24 and 16
override EIGHTS: u32 = 8u; // eights of inputs that are held
override RAGGED: bool = true; // what is held may end within them

var<private> xs: array<vec4<f32>, 128>; // input k of row group r in 2 k + r
var<private> product: array<vec4<f32>, 8>; // output o + (own ^ s) of row group r in 2 s + r

/// Weights of inputs k … k + 3 of the `count` that are held. Beyond them zeros are held, and unless RAGGED weights stand there, too, of the same layer:
/// 17 instructions less for each on SwiftShader.
fn held_weights(from_weight: u32, k: u32, count: u32) -> vec4<f32> {
  let w = weights_behind(from_weight, k);
  if (!RAGGED) { return w; }
  return select(vec4<f32>(0.0), w, vec4<u32>(k, k + 1u, k + 2u, k + 3u) < vec4<u32>(count));
}

/// Leaves sums over `count` inputs in `product`, where the weights of this invocation's output begin at `from_weight`.
fn multiply_held(from_weight: u32, count: u32) {
  #repeat s 0 4:
  #repeat r 0 2:
  product[$s * 2 + $r] = vec4<f32>(0.0);
  var run$s$r = vec4<f32>(0.0);
  #end;
  #end;
  #repeat q 0 8:
  if ($q < EIGHTS) {
    #repeat h 0 2:
    let w$0$h = held_weights(from_weight, $q * 8u + $h * 4u, count);
    let w$1$h = quadSwapX(w$0$h);
    let w$2$h = quadSwapY(w$0$h);
    let w$3$h = quadSwapDiagonal(w$0$h);
    #end;
    #repeat h 0 2:
    #repeat i 0 4:
    #repeat r 0 2:
    {
      let v = xs[$q * 16 + $h * 8 + $i * 2 + $r];
      #repeat s 0 4:
      run$s$r = fma(v, vec4<f32>(w$s$h[$i]), run$s$r);
      #end;
    }
    #end;
    #end;
    #end;
    #repeat s 0 4:
    #repeat r 0 2:
    if (SHORT || $q == 2 || $q == 5 || $q + 1 == EIGHTS) {
      product[$s * 2 + $r] += run$s$r;
      run$s$r = vec4<f32>(0.0);
    }
    #end;
    #end;
  }
  #end;
}
