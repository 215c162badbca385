// The product of what a quad holds with four outputs' weights, written out; masked-linear-quad.wgsl says how. The importer imports where weights lie
// (lib/layer-weights.wgsl or lib/turned-weights.wgsl).

override SHORT: bool = false; // runs of 8 inputs; otherwise of 24, 24 and 16
override EIGHTS: u32 = 8u; // eights of inputs that are held

var<private> xs: array<vec4<f32>, 128>; // input k of row group r in 2 k + r
var<private> product: array<vec4<f32>, 8>; // output o + (own ^ s) of row group r in 2 s + r

/// Leaves sums over `count` inputs in `product`, where the weights of output o begin at `from_weight`.
fn multiply_held(from_weight: u32, own: u32, count: u32) {
  #repeat s 0 4:
  #repeat r 0 2:
  product[$s * 2 + $r] = vec4<f32>(0.0);
  var run$s$r = vec4<f32>(0.0);
  #end;
  #end;
  #repeat q 0 8:
  if ($q < EIGHTS) {
    #repeat k 0 8:
    let w$0$k = select(0.0, weight_behind(from_weight, $q * 8u + $k, own), $q * 8u + $k < count);
    #end;
    #repeat k 0 8:
    let w$1$k = quadSwapX(w$0$k);
    let w$2$k = quadSwapY(w$0$k);
    let w$3$k = quadSwapDiagonal(w$0$k);
    #end;
    #repeat k 0 8:
    #repeat r 0 2:
    {
      let v = xs[$q * 16 + $k * 2 + $r];
      #repeat s 0 4:
      run$s$r = fma(v, vec4<f32>(w$s$k), run$s$r);
      #end;
    }
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
