// A variant of `weight_gradient` in linear-backward.wgsl, where the equation is: 8 inputs by 64 outputs an invocation, with d_y shared by a quad; or TURNED,
// 8 outputs by 64 inputs, with x shared, for layers of more outputs than inputs.
//
// 64 rows of an invocation's 8 features lie in an array whose every index is a number: they are held. The others pass by, four at a time: an invocation loads
// one of them, and three swaps within the quad bring the other three, as in masked-linear-quad.wgsl. Products of four rows are summed along the tile, side by
// side, then with each other; tiles are added in order, in a second array. A quad, which is a workgroup, holds 32 features. Where at most four features pass by
// (THIN), what would be held is used once and goes by, too. Loops over rows and features end at their foot: SwiftShader runs the body of
// a `for` once more than it has turns (docs/architecture.md), which was a fifth of the time here.
//
// Shapes      as linear-backward.wgsl, d_weight one number at a time.
// Error       20 + tiles units in the last place of Σ |x d_y| at most (tests/cases/linear-backward.ts).
// Derivative  as `weight_gradient`.

enable subgroups;

#import "lib/layout.wgsl"
#import "lib/ranges.wgsl"
#import "lib/rows-backward.wgsl"

struct Params {
  inputs: u32,
  outputs: u32,
  height: u32,
  width: u32,
  kernel: u32,
  parts: u32,
  x_features: u32,
  x_at: u32,
  x_channel: u32,
  x_pixel: u32,
  y_features: u32,
  y_at: u32,
  y_channel: u32,
  y_pixel: u32,
}

const HELD = 8u;     // features that an invocation holds
const PASSING = 64u; // features that pass by, at most

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> d_y: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> ranges: array<u32>;
@group(0) @binding(5) var<storage, read_write> d_weight: array<f32>;
@group(0) @binding(10) var<storage, read_write> d_bias: array<f32>;

override BIAS: bool = false;
override TURNED: bool = false; // outputs are held, and inputs pass by
override THIN: bool = false; // at most four features pass by: what is held is used once, and not kept

fn along(v: vec4<f32>) -> f32 { return v.x + v.y + (v.z + v.w); }

/// Where the first row group of an input lies, or of an output, counted from the features `bases` on.
fn place_of(is_output: bool, bases: vec2<u32>, f: u32, first: u32) -> u32 {
  if (is_output) { return tiled(params.y_features, first) + (params.y_at + bases.y + min(f, params.outputs - 1u) * params.y_channel) * TILE4; }
  return tiled(params.x_features, first) + (params.x_at + bases.x + min(f, params.inputs - 1u) * params.x_channel) * TILE4;
}

/// Row group `group` of what lies there; rows beyond the batch are zero.
fn group_of(is_output: bool, place: u32, first: u32, group: u32) -> vec4<f32> {
  var value: vec4<f32>;
  if (is_output) { value = d_y[place + group]; } else { value = x[place + group]; }
  return select(vec4<f32>(0.0), value, present(first + group));
}

@compute @workgroup_size(4)
fn weight_gradient_quad(@builtin(workgroup_id) wg: vec3<u32>, @builtin(subgroup_invocation_id) id: u32) {
  let own = id % 4u;
  let strips = (params.outputs + 7u) / 8u;
  let tap = wg.z % (params.kernel * params.kernel);
  let part = wg.z / (params.kernel * params.kernel);
  let first_held = wg.x * 4u * HELD;
  let held = first_held + own * HELD;
  let first_passing = wg.y * PASSING;
  let last_passing = min(first_passing + PASSING, select(params.outputs, params.inputs, TURNED));
  // The first input and the first output of the block.
  var corner = vec2<u32>(first_held, first_passing);
  if (TURNED) { corner = corner.yx; }
  let sums_bias = BIAS && corner.x == 0u;
  // Of what passes by, what the masks let through to some of the held.
  var begin = last_passing;
  var end = first_passing;
  for (var s = corner.y / 8u; s < min(corner.y / 8u + select(PASSING / 8u, 4u, TURNED), strips); s++) {
    let range = ranges_of(s);
    if (TURNED) {
      if (range.y > first_passing && range.x < last_passing) {
        begin = min(begin, max(range.x / 8u * 8u, first_passing));
        end = max(end, min((range.y + 7u) / 8u * 8u, last_passing));
      }
    } else if (range.y > first_held && range.x < first_held + 4u * HELD) {
      begin = min(begin, s * 8u);
      end = min(s * 8u + 8u, last_passing);
    }
  }
  if (sums_bias && (THIN || !TURNED)) {
    begin = first_passing;
    end = last_passing;
  }
  if (begin >= end) {
    if (!sums_bias) { return; }
    // Once through the loop below, for the bias alone.
    begin = first_passing;
    end = min(first_passing + 4u, last_passing);
  }
  let groups = (rows() + 3u) / 4u;
  let shift = vec2<u32>(tap / params.kernel, tap % params.kernel);
  let reach = vec2<u32>(params.kernel / 2u);
  let size = vec2<u32>(params.height, params.width);
  let area = params.height * params.width;
  let share = (area + params.parts - 1u) / params.parts;
  var xs: array<vec4<f32>, 128>; // row group g of held feature i in 16 i + g
  var sums: array<f32, 512>;     // held feature i by what the invocation s swaps away loads, of four from f on: 8 (f - first_passing + s) + i
  var biases: array<f32, 16>;    // of the outputs that this invocation holds, or loads
  let last_pixel = min(area, (part + 1u) * share);
  var pixel = part * share;
  loop {
    // Shifted by the reach, so that nothing is negative.
    let at = vec2<u32>(pixel / params.width, pixel % params.width) + shift;
    if (pixel >= last_pixel || any(at < reach) || any(at >= size + reach)) { continue; }
    let bases = vec2<u32>(((at.x - reach.x) * params.width + at.y - reach.y) * params.x_pixel, pixel * params.y_pixel);
    var first = 0u;
    loop {
      if (!THIN) {
        var i = 0u;
        loop {
          let place = place_of(TURNED, bases, held + i, first);
          var g = 0u;
          loop {
            xs[i * TILE4 + g] = group_of(TURNED, place, first, g);
            continuing {
              g++;
              break if g == TILE4;
            }
          }
          continuing {
            i++;
            break if i == HELD;
          }
        }
        if (TURNED && sums_bias) {
          #repeat i 0 8:
          var bias$i = vec4<f32>(0.0);
          #repeat g 0 16:
          bias$i += xs[$i * 16 + $g];
          #end;
          biases[$i] += along(bias$i);
          #end;
        }
      }
      var f = begin;
      loop {
        let into = (f - first_passing) * 8u;
        let place = place_of(!TURNED, bases, f + own, first);
        #repeat g 0 16:
        let y$0$g = group_of(!TURNED, place, first, $g);
        #end;
        if (!TURNED && sums_bias) {
          var bias = vec4<f32>(0.0);
          #repeat g 0 16:
          bias += y$0$g;
          #end;
          biases[into >> 5u] += along(bias);
        }
        #repeat g 0 16:
        let y$1$g = quadSwapX(y$0$g);
        let y$2$g = quadSwapY(y$0$g);
        let y$3$g = quadSwapDiagonal(y$0$g);
        #end;
        if (THIN) {
          var i = 0u;
          loop {
            let place = place_of(TURNED, bases, held + i, first);
            #repeat s 0 4:
            var thin$s = vec4<f32>(0.0);
            #end;
            var bias = vec4<f32>(0.0);
            #repeat g 0 16:
            {
              let v = group_of(TURNED, place, first, $g);
              if (TURNED && sums_bias) { bias += v; }
              #repeat s 0 4:
              thin$s = fma(v, y$s$g, thin$s);
              #end;
            }
            #end;
            #repeat s 0 4:
            sums[$s * 8u + i] += along(thin$s);
            #end;
            if (TURNED && sums_bias) { biases[i] += along(bias); }
            continuing {
              i++;
              break if i == HELD;
            }
          }
        } else {
          #repeat s 0 4:
          #repeat i 0 8:
          var run$s$i = vec4<f32>(0.0);
          #repeat g 0 16:
          run$s$i = fma(xs[$i * 16 + $g], y$s$g, run$s$i);
          #end;
          sums[into + $s * 8 + $i] += along(run$s$i);
          #end;
          #end;
        }
        continuing {
          f += 4u;
          break if f >= end;
        }
      }
      continuing {
        first += TILE4;
        break if first >= groups;
      }
    }
    continuing {
      pixel++;
      break if pixel >= last_pixel;
    }
  }
  var f = begin;
  loop {
    // The four are of one strip, or of one block of 8 inputs. Blocks of 8 × 8 outside the run of inputs are left as they are.
    let strip = select(f, held, TURNED) / 8u;
    let input = select(held, f / 8u * 8u, TURNED);
    let range = ranges_of(min(strip, strips - 1u));
    let reached = input < range.y && input + 8u > range.x;
    let into = ((part * strips + strip) * params.kernel * params.kernel + tap) * params.inputs * 8u + select(held * 8u + f % 8u, f * 8u, TURNED);
    let sum = (f - first_passing) * 8u;
    var s = 0u;
    loop {
      let passing = own ^ s;
      #repeat i 0 8:
      if (reached && select(f + passing, held + $i, TURNED) < params.outputs && select(held + $i, f + passing, TURNED) < params.inputs) {
        d_weight[into + select($i * 8u + passing, passing * 8u + $i, TURNED)] += sums[sum + s * 8u + $i];
      }
      #end;
      continuing {
        s++;
        break if s == 4u;
      }
    }
    continuing {
      f += 4u;
      break if f >= end;
    }
  }
  if (sums_bias) {
    for (var j = 0u; j < select(PASSING / 4u, HELD, TURNED); j++) {
      let o = select(corner.y + j * 4u + own, held + j, TURNED);
      if (o < params.outputs) { d_bias[o] += biases[j]; }
    }
  }
}
