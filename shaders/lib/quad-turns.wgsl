// The product of what a quad holds with four outputs' weights, an output a turn; masked-linear-quad.wgsl says how. The importer says in `take` what
// becomes of a sum.

#import "lib/quad-held.wgsl"

override SHORT: bool = false; // runs of 8 inputs; otherwise of 24, 24 and 16

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
    let odd = 0u - (s & 1u); // all bits, or none
    let high = 0u - (s >> 1u);
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
        var bits = bitcast<vec4<u32>>(own$e$h);
        bits ^= (bits ^ quadSwapX(bits)) & vec4<u32>(odd);
        bits ^= (bits ^ quadSwapY(bits)) & vec4<u32>(high);
        let w = bitcast<vec4<f32>>(bits);
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
    #repeat r 0 2:
    take(into + s * 2u + $r, o + (own ^ s), group + $r * 4, y_at[$r], vec4<f32>(all$r$0, all$r$1, all$r$2, all$r$3));
    #end;
    continuing {
      s++;
      break if s == 4u;
    }
  }
}
