// The product of what a quad holds with four outputs' weights, an output a turn; masked-linear-quad.wgsl says how. The importer says in `take` what
// becomes of an output's sums; outputs come in order.

#import "lib/quad-held.wgsl"

override SHORT: bool = false; // runs of 8 inputs; otherwise of 24, 24 and 16

/// What the invocation of the quad has whose number differs by `away`.
fn of_quad(own: vec4<f32>, away: u32) -> vec4<f32> {
  var bits = bitcast<vec4<u32>>(own);
  bits ^= (bits ^ quadSwapX(bits)) & vec4<u32>(0u - (away & 1u)); // all bits, or none
  bits ^= (bits ^ quadSwapY(bits)) & vec4<u32>(0u - (away >> 1u));
  return bitcast<vec4<f32>>(bits);
}

/// Sums over `count` inputs for outputs o … o + 3, where the weights of this invocation's output begin at `from_weight`.
fn multiply_held(from_weight: u32, count: u32, into: u32, o: u32, own: u32, group: u32, y_at: vec2<u32>) {
  #repeat e 0 8:
  #repeat h 0 2:
  var own$e$h = vec4<f32>(0.0);
  if ($e < EIGHTS) { own$e$h = held_weights(from_weight, $e * 8u + $h * 4u, count); }
  #end;
  #end;
  var s = 0u;
  loop {
    // Number by number, four inputs loaded before they are multiplied: in this order Subzero, SwiftShader's compiler, has registers for most sums. Inputs loaded one
    // by one take 1.2 of the time, and eight at once 1.6 of it where there are more than 64. Runs are added up when all are there: eight sums that go on beside the third
    // run take its registers (1.15).
    #repeat r 0 2:
    #repeat c 0 4:
    var run$r$c = 0.0;
    #repeat e 0 8:
    var part$e$r$c = 0.0;
    #end;
    #end;
    #end;
    #repeat e 0 8:
    if ($e < EIGHTS) {
      #repeat h 0 2:
      {
        let w = of_quad(own$e$h, own ^ s);
        #repeat r 0 2:
        #repeat c 0 4:
        {
          #repeat i 0 4:
          let v$i = xs[$e * 16 + $h * 8 + $i * 2 + $r][$c];
          #end;
          run$r$c = fma(v$3, w.w, fma(v$2, w.z, fma(v$1, w.y, fma(v$0, w.x, run$r$c))));
        }
        #end;
        #end;
      }
      #end;
      if ($e + 1 < EIGHTS && (SHORT || $e == 2 || $e == 5)) {
        #repeat r 0 2:
        #repeat c 0 4:
        part$e$r$c = run$r$c;
        run$r$c = 0.0;
        #end;
        #end;
      }
    }
    #end;
    #repeat r 0 2:
    #repeat c 0 4:
    var all$r$c = 0.0;
    #repeat e 0 8:
    if ($e + 1 < EIGHTS && (SHORT || $e == 2 || $e == 5)) { all$r$c += part$e$r$c; }
    #end;
    all$r$c += run$r$c;
    #end;
    #end;
    take(into + s * 2u, o + s, own, group, y_at, vec4<f32>(all$0$0, all$0$1, all$0$2, all$0$3), vec4<f32>(all$1$0, all$1$1, all$1$2, all$1$3));
    continuing {
      s++;
      break if s == 4u;
    }
  }
}
