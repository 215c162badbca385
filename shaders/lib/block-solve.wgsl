// The sequential half of an autoregressive flow, by blocks of up to 48 inputs that an invocation holds. The file that imports this also imports a transformer with
// `fn transform(source, parameters_at, stride) -> Moved`.
//
// As in lib/autoregressive-solve.wgsl a list of tasks computes each unit once, as soon as its inputs are known. There each strip of units loads its inputs anew; here
// each stage of the net holds the latest of its inputs in an array whose every index is a number, which is as good as registers, and a strip
//
//   v[u] = sum over k of weight[u, k] held[k]  +  bias[u]  + state[row + u];   state[row + u] = v, or where it ENDS held[slot + u] of the next stage = max(0, v)
//
// loads weights alone. When a stage holds as many inputs as it can and one more comes, a strip of all its units that are still to come takes them along, as a triangular
// solve takes a block that is solved out of the equations behind. What is held in the place of inputs that are not known yet is what an earlier block left, times a
// weight of 0.
//
// A task is such a strip of units of a stage, or a feature: value = transform(source[feature]; state[parameters …]), held, and written to result.
// src/tuning/block-tasks.ts writes the list and packs weights: of four units [2 EIGHTS + 1, 4 units, 4], inputs by fours and last the bias. Units of the last four are
// one, two, or up to four: as many turns does it take. One invocation owns 16 rows, row groups g, g + 4, g + 8 and g + 12 of a tile. Weights are shared by the four
// invocations of a quad, and straight code is that of one unit, as in lib/quad-turns.wgsl, which says why: with what follows it, what a turn runs fits in 32 KiB.

#import "lib/block-tasks.wgsl"

#repeat s 0 4:
var<private> held$s: array<vec4<f32>, 192>; // input k of stage s and row group r in 4 k + r
#end;
// A loop fills them, two a turn: a third of the text that as many loads are.
var<private> own_weight: array<vec4<f32>, 12>;
// Words of a task, and behind them where rows begin and which of its quad an invocation is. As values they would take registers that the sums need; an array
// with an index that is no number stays in memory. It is longer than the 11 words that it holds for what lies behind it on SwiftShader's stack: with 12 or 28, one of
// sampling and `inverse` takes 1.12 of the time.
var<private> kept: array<u32, 20>;

fn solve(group: u32, own: u32) {
  kept[8] = tiled(params.nodes, group);
  kept[9] = tiled(params.dim, group);
  kept[10] = own;
  var total: array<vec4<f32>, 4>;
  var part: array<vec4<f32>, 4>; // log-det in blocks of 8 features, as in row-sum
  var in_block = 0u;
  var t = 0u;
  // A loop within each branch, since SwiftShader runs both ways of one; with its end at its foot, where it takes no turn too many. Those that count to a number do so
  // for Tint, which otherwise counts their turns too, in 64 bits, lest they never end.
  loop {
    #repeat s 0 4:
    if ($s < STAGES) {
      if (t < params.tasks && tasks[t * TASK] == $s) {
        loop {
          for (var word = 0u; word < TASK; word++) {
            kept[word] = tasks[t * TASK + word];
            if (word + 1u == TASK) { break; }
          }
          for (var f = 0u; f < 65536u; f++) {
            let eights = select(UNIT_EIGHTS, FEATURE_EIGHTS, $s == 0);
            let w = kept[2] + f * (8u * eights + 4u) + kept[10];
            for (var m = 0u; m < 12u; m += 2u) {
              own_weight[m] = weight[w + m * 4u];
              own_weight[m + 1u] = weight[w + m * 4u + 4u];
              if (m + 2u == 2u * eights) { break; }
            }
            let own_bias = weight[w + 8u * eights].x;
            let shape = tasks[t * TASK + 1u];
            let turns = select(4u, shape >> 16u, f + 1u == (shape & 0xffffu));
            for (var turn = 0u; turn < 4u; turn++) {
              let odd = 0u - (turn & 1u); // all bits, or none
              let high = 0u - (turn >> 1u);
              #repeat r 0 4:
              #repeat c 0 4:
              var run$r$c = 0.0;
              var all$r$c = 0.0;
              #end;
              #end;
              #repeat m 0 12:
              if (($s == 0 && $m < 2 * FEATURE_EIGHTS) || ($s > 0 && $m < 2 * UNIT_EIGHTS)) {
                var bits = bitcast<vec4<u32>>(own_weight[$m]);
                bits ^= (bits ^ quadSwapX(bits)) & vec4<u32>(odd);
                bits ^= (bits ^ quadSwapY(bits)) & vec4<u32>(high);
                let w = bitcast<vec4<f32>>(bits);
                #repeat r 0 4:
                #repeat c 0 4:
                {
                  #repeat i 0 4:
                  let v$i = held$s[$m * 16 + $i * 4 + $r][$c];
                  #end;
                  run$r$c = fma(v$3, w.w, fma(v$2, w.z, fma(v$1, w.y, fma(v$0, w.x, run$r$c))));
                }
                #end;
                #end;
                if ($m == 5 || ($s == 0 && $m + 1 == 2 * FEATURE_EIGHTS) || ($s > 0 && $m + 1 == 2 * UNIT_EIGHTS)) {
                  #repeat r 0 4:
                  #repeat c 0 4:
                  all$r$c += run$r$c;
                  run$r$c = 0.0;
                  #end;
                  #end;
                }
              }
              #end;
              var bits = bitcast<u32>(own_bias);
              bits ^= (bits ^ quadSwapX(bits)) & odd;
              bits ^= (bits ^ quadSwapY(bits)) & high;
              let unit = f * 4u + ((kept[10] ^ turn) & (turns - 1u));
              let at = kept[8] + (kept[4] + unit) * TILE4;
              let slot = (kept[6] + unit) * 4u;
              let adds = 0u - (kept[5] & ADDS); // all bits, or none
              let rectifies = vec4<bool>((kept[5] & RECTIFIES) != 0u);
              // A loop, so that all that a turn runs fits in 32 KiB of instructions.
              for (var r = 0u; r < 4u; r++) {
                let place = &state[at + r * 4u];
                let v = select(
                  select(vec4<f32>(all$0$0, all$0$1, all$0$2, all$0$3), vec4<f32>(all$1$0, all$1$1, all$1$2, all$1$3), r == 1u),
                  select(vec4<f32>(all$2$0, all$2$1, all$2$2, all$2$3), vec4<f32>(all$3$0, all$3$1, all$3$2, all$3$3), r == 3u),
                  r > 1u,
                ) + bitcast<f32>(bits) + bitcast<vec4<f32>>(bitcast<vec4<u32>>(*place) & vec4<u32>(adds));
                let is_unit = unit < kept[3];
                let stays = $s + 1 == STAGES || (kept[5] & ENDS) == 0u;
                if (is_unit & stays) { *place = v; }
                if (!stays & is_unit) {
                  let cut = (v < vec4<f32>(0.0)) & rectifies;
                  #repeat n 1 4:
                  if ($n == $s + 1) { held$n[slot + r] = select(v, vec4<f32>(0.0), cut); }
                  #end;
                }
                if (r == 3u) { break; }
              }
              if (turn + 1u == turns) { break; }
            }
            if (f + 1u == (tasks[t * TASK + 1u] & 0xffffu)) { break; }
          }
          continuing {
            t++;
            break if t == params.tasks || tasks[t * TASK] != $s;
          }
        }
      }
    }
    #end;
    if (t < params.tasks && tasks[t * TASK] == KIND_FEATURE) {
      loop {
        let task = t * TASK;
        let from_at = kept[9] + tasks[task + 1u] * TILE4;
        let p = kept[8] + tasks[task + 2u] * TILE4;
        let stride = tasks[task + 3u] * TILE4;
        let slot = tasks[task + 4u];
        for (var r = 0u; r < 4u; r++) {
          let moved = transform(source[from_at + r * 4u], p + r * 4u, stride);
          result[from_at + r * 4u] = moved.value;
          held$0[slot * 4u + r] = moved.value;
          part[r] += moved.log_det;
          if (in_block == 7u) {
            total[r] += part[r];
            part[r] = vec4<f32>(0.0);
          }
          if (r == 3u) { break; }
        }
        in_block = (in_block + 1u) & 7u;
        continuing {
          t++;
          break if t == params.tasks || tasks[t * TASK] != KIND_FEATURE;
        }
      }
    }
    continuing { break if t == params.tasks; }
  }
  if (HAS_LOG_DET) {
    for (var r = 0u; r < 4u; r++) { log_det[group + r * 4u] += total[r] + part[r]; }
  }
}
