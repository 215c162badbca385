// The sequential half of an autoregressive flow at the cost of one network pass. The file that imports this also imports a
// transformer with `fn transform(source, parameters_at, stride) -> Moved`, and the way weights are loaded: lib/strip.wgsl or lib/strip-quad.wgsl.
//
// The host (src/flows/conditioner/solve-plan.ts) derives from the masks alone when each hidden unit and each output can be computed, permutes
// units by that, and writes a list of tasks. A task is either a strip of 8 or 4 units of one layer,
//
//   v = partial[u] + sum over k < count of weight[k, u] state[input + k]  +  bias[u];  v sigmoid(gate[u]);  + addend[u];  + state[skip[u]]
//   state[raw + u] = v;   state[output + u] = activation(v scale[u] + shift[u])
//
// where partial lies in the state or, in a later panel of a wide net, in side, as sums of a product that ran before this dispatch;
// or one feature: value = transform(source[feature]; state[parameters ...]); state[known] = result[feature] = value. Where layer follows layer in one
// list (src/tuning/fuse-solves.ts), a feature comes from the state in which the layer before left it.
// Each non-zero of the masks is used once. One invocation owns 16 rows (row groups g, g + 4, g + 8, g + 12 of a tile of 64), so tasks follow
// each other without barriers; every invocation runs the same tasks, so control flow is uniform.

#import "lib/solve-tasks.wgsl"

fn at_feature(t: u32) -> bool { return tasks[t * TASK] == KIND_FEATURE; }

/// A strip of 8, or any strip of a plan where one is not PLAIN.
fn at_strip(t: u32) -> bool { return tasks[t * TASK] < select(KIND_NARROW, KIND_FEATURE, GENERAL); }

fn rectify(v: vec4<f32>, relu: vec4<bool>) -> vec4<f32> { return select(v, vec4<f32>(0.0), relu & (v < vec4<f32>(0.0))); }

/// Four known values of a row group.
fn states_at(a: vec4<u32>) -> mat4x4<f32> { return mat4x4<f32>(state[a.x], state[a.y], state[a.z], state[a.w]); }

/// The columns after the first, one place up.
fn moved_up(m: mat4x4<f32>) -> mat4x4<f32> { return mat4x4<f32>(m[1], m[2], m[3], m[3]); }

/// Where a strip's sums begin: `sums`, partial sums or zeros; or in place of them `beside`, those of its panel.
struct Begun { sums: u32, stride: u32, beside: u32, in_panel: vec4<bool> }

fn begun_at(task: u32, first: u32, side_at: u32, zeros: u32) -> Begun {
  let partial_row = tasks[task + 10u];
  let panel_row = tasks[task + PANEL];
  let in_panel = panel_row != NONE;
  return Begun(
    select(first + partial_row * TILE4, zeros, partial_row == NONE),
    select(TILE4, 0u, partial_row == NONE),
    side_at + select(0u, panel_row, in_panel) * TILE4,
    vec4<bool>(in_panel),
  );
}

/// What there is of a unit's sums, of row group g / 4: those of its panel, or `otherwise`.
fn in_panel_or(otherwise: vec4<f32>, begun: Begun, unit: u32, g: u32) -> vec4<f32> {
  if (!PANELS) { return otherwise; }
  return select(otherwise, side[begun.beside + unit * TILE4 + g], begun.in_panel);
}

/// A unit's sum of row group g / 4 beside what there is of it already.
fn with_partial(begun: Begun, unit: u32, g: u32, sum: vec4<f32>) -> vec4<f32> {
  return sum + in_panel_or(state[begun.sums + unit * begun.stride + g], begun, unit, g);
}

/// The same where sums among panels are of their panel alone (src/flows/conditioner/strips.ts): a load less.
fn with_panel(begun: Begun, unit: u32, g: u32, sum: vec4<f32>) -> vec4<f32> {
  if (!PANELS) { return with_partial(begun, unit, g, sum); }
  return sum + in_panel_or(vec4<f32>(0.0), begun, unit, g);
}

/// A bias and at most a ReLU.
fn plain(unit: u32, constants: u32, output_at: u32, relu: vec4<bool>, sum: vec4<f32>) {
  state[output_at + unit * TILE4] = rectify(sum + bias[constants + (unit >> 2u)][unit & 3u], relu);
}

// SwiftShader runs what a branch skips, and the body of a loop once more than it has turns unless it ends at its foot: so strips and features have such a loop
// each, and what follows most strips, a bias and at most a ReLU, is apart from the rest. GENERAL leaves out the rest where no strip needs it. Strips of 4 then have a loop of
// their own, inside one with that of features: most tasks of a narrow net are of these two, and pass by the loop of strips of 8.
fn solve(group: u32) {
  let first = tiled(params.nodes, group);
  let rows_at = tiled(params.dim, group);
  let side_at = tiled(params.side_features, group);
  let zeros = first + (params.nodes - 1u) * TILE4; // what is multiplied where a run of inputs ends: the state there may be infinite
  for (var g = 0u; g < 4u; g++) { state[zeros + g * 4u] = vec4<f32>(0.0); }
  var total: array<vec4<f32>, 4>;
  var part: array<vec4<f32>, 4>; // log-det in blocks of 8 features, as in row-sum
  var in_block = 0u;
  // Unit u of row group g in 4 u + g. Declared once: SwiftShader does not clear an array declared in a loop.
  var sums: array<vec4<f32>, 32>;
  var t = 0u;
  loop {
    if (at_strip(t)) {
      loop {
        let task = t * TASK;
        let width = select(8u, 8u >> tasks[task], GENERAL); // 8 or 4 units
        let count = tasks[task + 1u];
        let w = tasks[task + 2u];
        let at = first + tasks[task + 3u] * TILE4;
        // A row group a turn: its text is a quarter of that for all four, compiles in half the time and runs as fast, though each loads the weights anew. Four inputs at
        // a time, as products of 4 × 4 matrices, summed apart and then added: the error grows with 4 + count / 4 instead of count. Beyond the last input stand
        // zeros of the state. Where GENERAL, a strip of 4 is one of 8 whose other half nobody reads.
        let quads_of_weights = width >> 2u;
        let begun = begun_at(task, first, side_at, zeros);
        let output_at = first + tasks[task + 4u] * TILE4;
        let constants = tasks[task + 8u];
        let flags = tasks[task + 9u];
        let relu = vec4<bool>((flags & 255u) == ACT_RELU);
        var g = 0u;
        loop {
          var a = mat4x4<f32>();
          var b = mat4x4<f32>();
          for (var k = 0u; k < count; k += 4u) { // there may be none
            let four = vec4<u32>(k) + vec4<u32>(0u, 1u, 2u, 3u);
            let x = states_at(select(vec4<u32>(zeros), vec4<u32>(at + g) + four * TILE4, four < vec4<u32>(count)));
            let strip = strip_at(vec4<u32>(w) + min(four, vec4<u32>(count - 1u)) * quads_of_weights, quads_of_weights);
            a += x * strip.low;
            b += x * strip.high;
          }
          var u = 0u;
          loop {
            let low_unit = unit_at(u, width);
            var low: vec4<f32>;
            if (PANELS && !GENERAL) {
              low = with_panel(begun, low_unit, g, a[0]);
            } else {
              low = with_partial(begun, low_unit, g, a[0]);
            }
            if (GENERAL) { sums[u * 4u + (g >> 2u)] = low; }
            if ((flags & PLAIN) != 0u) { plain(low_unit, constants, output_at + g, relu, low); }
            if (width > 4u) {
              let unit = unit_at(u + 4u, width);
              let high = with_panel(begun, unit, g, b[0]);
              if (GENERAL) { sums[u * 4u + 16u + (g >> 2u)] = high; }
              if ((flags & PLAIN) != 0u) { plain(unit, constants, output_at + g, relu, high); }
            }
            a = moved_up(a);
            b = moved_up(b);
            continuing {
              u++;
              break if u == 4u;
            }
          }
          continuing {
            g += 4u;
            break if g == 16u;
          }
        }
        if (!GENERAL || (flags & PLAIN) != 0u) { continue; }
        let raw_row = tasks[task + 5u];
        let addend_row = tasks[task + 6u];
        let gate_row = tasks[task + 7u];
        // A loop, not 32 calls: inlined calls made the pipeline take 10 s to compile on SwiftShader, this takes a tenth.
        var i = 0u;
        loop {
          let unit = unit_at(i >> 2u, width);
          let offset = (i & 3u) * 4u; // of the row group
          var v = sums[i] + bias[constants + (unit >> 2u)][unit & 3u];
          if (gate_row != NONE) { v *= accurate_sigmoid(side[side_at + offset + (gate_row + unit) * TILE4]); }
          if (addend_row != NONE) { v += side[side_at + offset + (addend_row + unit) * TILE4]; }
          if ((flags & HAS_SKIP) != 0u) { v += state[first + offset + tasks[task + SKIPS + unit] * TILE4]; }
          if (raw_row != NONE) { state[first + offset + (raw_row + unit) * TILE4] = v; }
          if ((flags & HAS_SCALE) != 0u) {
            v = v * bias[constants + quads_of_weights + (unit >> 2u)][unit & 3u] + bias[constants + 2u * quads_of_weights + (unit >> 2u)][unit & 3u];
          }
          state[output_at + offset + unit * TILE4] = activate(flags & 255u, v);
          continuing {
            i++;
            break if i == 4u * width;
          }
        }
        continuing {
          t++;
          break if t == params.tasks || !at_strip(t);
        }
      }
    }
    if (t < params.tasks && !at_strip(t)) {
      loop {
        if (!GENERAL) {
          // As above, for 4 units.
          if (!at_feature(t)) {
            loop {
              let task = t * TASK;
              let count = tasks[task + 1u];
              let w = tasks[task + 2u];
              let at = first + tasks[task + 3u] * TILE4;
              let begun = begun_at(task, first, side_at, zeros);
              let output_at = first + tasks[task + 4u] * TILE4;
              let constants = tasks[task + 8u];
              let relu = vec4<bool>((tasks[task + 9u] & 255u) == ACT_RELU);
              #repeat g 0 4:
              var a$g = mat4x4<f32>();
              #end;
              for (var k = 0u; k < count; k += 4u) {
                let four = vec4<u32>(k) + vec4<u32>(0u, 1u, 2u, 3u);
                let rows_k = select(vec4<u32>(zeros), vec4<u32>(at) + four * TILE4, four < vec4<u32>(count));
                let strip = narrow_strip_at(vec4<u32>(w) + min(four, vec4<u32>(count - 1u)));
                #repeat g 0 4:
                a$g += states_at(rows_k + vec4<u32>($g * 4)) * strip;
                #end;
              }
              var u = 0u;
              loop {
                let unit = narrow_unit_at(u);
                #repeat g 0 4:
                plain(unit, constants, output_at + $g * 4, relu, with_partial(begun, unit, $g * 4, a$g[0]));
                a$g = moved_up(a$g);
                #end;
                continuing {
                  u++;
                  break if u == 4u;
                }
              }
              continuing {
                t++;
                break if t == params.tasks || tasks[t * TASK] != KIND_NARROW;
              }
            }
          }
        }
        if (t < params.tasks && at_feature(t)) {
          loop {
            let task = t * TASK;
            let from_at = rows_at + tasks[task + 1u] * TILE4;
            let p = first + tasks[task + 2u] * TILE4;
            let stride = tasks[task + 3u] * TILE4;
            let known = first + tasks[task + 4u] * TILE4;
            let from_row = tasks[task + FROM_STATE];
            var g = 0u;
            loop {
              var before: vec4<f32>;
              if (from_row == NONE) { before = source[from_at + g * 4u]; } else { before = state[first + from_row * TILE4 + g * 4u]; }
              let moved = transform(before, p + g * 4u, stride);
              state[known + g * 4u] = moved.value;
              result[from_at + g * 4u] = moved.value;
              part[g] += moved.log_det;
              if (in_block == 7u) {
                total[g] += part[g];
                part[g] = vec4<f32>(0.0);
              }
              continuing {
                g++;
                break if g == 4u;
              }
            }
            in_block = (in_block + 1u) & 7u;
            continuing {
              t++;
              break if t == params.tasks || !at_feature(t);
            }
          }
        }
        continuing { break if t == params.tasks || at_strip(t); }
      }
    }
    continuing { break if t == params.tasks; }
  }
  if (HAS_LOG_DET) {
    for (var g = 0u; g < 4u; g++) { log_det[group + g * 4u] += total[g] + part[g]; }
  }
}
