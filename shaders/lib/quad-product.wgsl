// The product of what a quad holds with four outputs' weights, written out for all four in runs of 8 inputs: for lib/thin-net.wgsl, which needs them side by
// side. lib/quad-turns.wgsl has the other way.

#import "lib/quad-held.wgsl"

var<private> product: array<vec4<f32>, 8>; // output o + (own ^ s) of row group r in 2 s + r

/// Leaves sums over `count` inputs in `product`, where the weights of this invocation's output begin at `from_weight`.
fn multiply_held(from_weight: u32, count: u32) {
  #repeat s 0 4:
  #repeat r 0 2:
  product[$s * 2 + $r] = vec4<f32>(0.0);
  #end;
  #end;
  #repeat q 0 8:
  if ($q < EIGHTS) {
    #repeat s 0 4:
    #repeat r 0 2:
    var run$s$r = vec4<f32>(0.0);
    #end;
    #end;
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
    product[$s * 2 + $r] += run$s$r;
    #end;
    #end;
  }
  #end;
}
