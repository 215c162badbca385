// The sequential half of an autoregressive flow at the cost of one network pass. The file that imports this also imports a
// transformer with `fn transform(source, parameters_at, stride) -> Moved`, and the way weights are loaded: lib/strip.wgsl or lib/strip-quad.wgsl.
//
// The host (src/flows/conditioner/solve-plan.ts) derives from the masks alone when each hidden unit and each output can be computed, permutes
// units by that, and writes a list of tasks. A task is either a strip of 8, 4 or 2 units of one layer,
//
//   v = partial[u] + sum over k < count of weight[k, u] state[input + k]  +  bias[u];  v sigmoid(gate[u]);  + addend[u];  + state[skip[u]]
//   state[raw + u] = v;   state[output + u] = activation(v scale[u] + shift[u])
//
// or one feature: value = transform(source[feature]; state[parameters ...]); state[known] = result[feature] = value. Where layer follows layer in one
// list (src/tuning/fuse-solves.ts), a feature comes from the state in which the layer before left it.
// Each non-zero of the masks is used once. One invocation owns 16 rows (row groups g, g + 4, g + 8, g + 12 of a tile of 64), so tasks follow
// each other without barriers; every invocation runs the same tasks, so control flow is uniform.

#import "lib/solve-tasks.wgsl"

fn rectify(v: vec4<f32>, relu: vec4<bool>) -> vec4<f32> { return select(v, vec4<f32>(0.0), relu & (v < vec4<f32>(0.0))); }

/// Four known values of a row group.
fn states_at(a: vec4<u32>) -> mat4x4<f32> { return mat4x4<f32>(state[a.x], state[a.y], state[a.z], state[a.w]); }

/// The unit in a place of a strip, of four row groups, with a bias and at most a ReLU.
fn plain(place: u32, width: u32, constants: u32, output_at: u32, relu: vec4<bool>, v0: vec4<f32>, v1: vec4<f32>, v2: vec4<f32>, v3: vec4<f32>) {
  let unit = unit_at(place, width);
  let added = bias[constants + unit / 4u][unit % 4u];
  let at = output_at + unit * TILE4;
  state[at] = rectify(v0 + added, relu);
  state[at + 4u] = rectify(v1 + added, relu);
  state[at + 8u] = rectify(v2 + added, relu);
  state[at + 12u] = rectify(v3 + added, relu);
}

fn solve(group: u32) {
  let first = tiled(params.nodes, group);
  let rows_at = tiled(params.dim, group);
  let side_at = tiled(params.side_features, group);
  let zeros = first + (params.nodes - 1u) * TILE4; // what is multiplied where a run of inputs ends: the state there may be infinite
  for (var g = 0u; g < 4u; g++) { state[zeros + g * 4u] = vec4<f32>(0.0); }
  var total: array<vec4<f32>, 4>;
  var part: array<vec4<f32>, 4>; // log-det in blocks of 8 features, as in row-sum
  var in_block = 0u;
  // Unit u of row group g in 4 u + g. Declared once and cleared by hand: SwiftShader does not clear an array declared in a loop.
  var sums: array<vec4<f32>, 32>;
  for (var t = 0u; t < params.tasks; t++) {
    let task = t * TASK;
    let kind = tasks[task];
    if (kind == KIND_FEATURE) {
      let from_at = rows_at + tasks[task + 1u] * TILE4;
      let p = first + tasks[task + 2u] * TILE4;
      let stride = tasks[task + 3u] * TILE4;
      let known = first + tasks[task + 4u] * TILE4;
      let from_row = tasks[task + FROM_STATE];
      for (var g = 0u; g < 4u; g++) {
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
      }
      in_block = (in_block + 1u) % 8u;
      continue;
    }
    let width = 8u >> kind; // 8, 4 or 2 units
    let count = tasks[task + 1u];
    var w = tasks[task + 2u];
    var at = first + tasks[task + 3u] * TILE4;
    let partial_row = tasks[task + 10u];
    sums = array<vec4<f32>, 32>();
    if (partial_row != NONE) {
      let partial_at = first + partial_row * TILE4;
      for (var i = 0u; i < 4u * width; i++) { sums[i] = state[partial_at + unit_at(i / 4u, width) * TILE4 + (i % 4u) * 4u]; }
    }
    // Runs of four inputs, of RUN in strips of two, are summed apart and then added: the error grows with 4 + count / 4 instead of count.
    if (kind <= KIND_STRIP4) {
      // Four inputs at a time, as products of 4 × 4 matrices; beyond the last input stand zeros of the state. A strip of 4 is one of 8 whose other
      // half nobody reads: a loop of its own would save little and take long to compile.
      let quads_of_weights = width / 4u;
      var a0 = mat4x4<f32>(); var a1 = mat4x4<f32>(); var a2 = mat4x4<f32>(); var a3 = mat4x4<f32>(); // units 0 to 3 of the four row groups
      var b0 = mat4x4<f32>(); var b1 = mat4x4<f32>(); var b2 = mat4x4<f32>(); var b3 = mat4x4<f32>();
      for (var k = 0u; k < count; k += 4u) {
        let four = vec4<u32>(k) + vec4<u32>(0u, 1u, 2u, 3u);
        let rows_k = select(vec4<u32>(zeros), vec4<u32>(at) + four * TILE4, four < vec4<u32>(count));
        let from_k = vec4<u32>(w) + min(four, vec4<u32>(count - 1u)) * quads_of_weights;
        let strip = strip_at(from_k, quads_of_weights);
        let x0 = states_at(rows_k);
        let x1 = states_at(rows_k + vec4<u32>(4u));
        let x2 = states_at(rows_k + vec4<u32>(8u));
        let x3 = states_at(rows_k + vec4<u32>(12u));
        a0 += x0 * strip.low; b0 += x0 * strip.high;
        a1 += x1 * strip.low; b1 += x1 * strip.high;
        a2 += x2 * strip.low; b2 += x2 * strip.high;
        a3 += x3 * strip.low; b3 += x3 * strip.high;
      }
      sums[0] += a0[0]; sums[1] += a1[0]; sums[2] += a2[0]; sums[3] += a3[0];
      sums[4] += a0[1]; sums[5] += a1[1]; sums[6] += a2[1]; sums[7] += a3[1];
      sums[8] += a0[2]; sums[9] += a1[2]; sums[10] += a2[2]; sums[11] += a3[2];
      sums[12] += a0[3]; sums[13] += a1[3]; sums[14] += a2[3]; sums[15] += a3[3];
      sums[16] += b0[0]; sums[17] += b1[0]; sums[18] += b2[0]; sums[19] += b3[0];
      sums[20] += b0[1]; sums[21] += b1[1]; sums[22] += b2[1]; sums[23] += b3[1];
      sums[24] += b0[2]; sums[25] += b1[2]; sums[26] += b2[2]; sums[27] += b3[2];
      sums[28] += b0[3]; sums[29] += b1[3]; sums[30] += b2[3]; sums[31] += b3[3];
    } else {
      // Two inputs at a time, so that a vec4 of weights is still one load. The second of a last odd pair is not known yet: what
      // stands there may be anything, NaN too, so a zero weight would not do.
      for (var start = 0u; start < count; start += RUN) {
        let end = min(start + RUN, count);
        var a0 = vec4<f32>(0.0); var b0 = vec4<f32>(0.0); var c0 = vec4<f32>(0.0); var d0 = vec4<f32>(0.0);
        var a1 = vec4<f32>(0.0); var b1 = vec4<f32>(0.0); var c1 = vec4<f32>(0.0); var d1 = vec4<f32>(0.0);
        for (var k = start; k < end; k += 2u) {
          let paired = vec4<bool>(k + 1u < end);
          let x0 = state[at]; let x1 = state[at + 4u]; let x2 = state[at + 8u]; let x3 = state[at + 12u];
          let y0 = select(vec4<f32>(0.0), state[at + TILE4], paired);
          let y1 = select(vec4<f32>(0.0), state[at + TILE4 + 4u], paired);
          let y2 = select(vec4<f32>(0.0), state[at + TILE4 + 8u], paired);
          let y3 = select(vec4<f32>(0.0), state[at + TILE4 + 12u], paired);
          let w0 = weights_of(w);
          at += 2u * TILE4;
          w += 1u;
          a0 = fma(vec4<f32>(w0.z), y0, fma(vec4<f32>(w0.x), x0, a0)); b0 = fma(vec4<f32>(w0.z), y1, fma(vec4<f32>(w0.x), x1, b0));
          c0 = fma(vec4<f32>(w0.z), y2, fma(vec4<f32>(w0.x), x2, c0)); d0 = fma(vec4<f32>(w0.z), y3, fma(vec4<f32>(w0.x), x3, d0));
          a1 = fma(vec4<f32>(w0.w), y0, fma(vec4<f32>(w0.y), x0, a1)); b1 = fma(vec4<f32>(w0.w), y1, fma(vec4<f32>(w0.y), x1, b1));
          c1 = fma(vec4<f32>(w0.w), y2, fma(vec4<f32>(w0.y), x2, c1)); d1 = fma(vec4<f32>(w0.w), y3, fma(vec4<f32>(w0.y), x3, d1));
        }
        sums[0] += a0; sums[1] += b0; sums[2] += c0; sums[3] += d0;
        sums[4] += a1; sums[5] += b1; sums[6] += c1; sums[7] += d1;
      }
    }
    let output_at = first + tasks[task + 4u] * TILE4;
    let constants = tasks[task + 8u];
    let flags = tasks[task + 9u];
    // Most strips: a bias and at most a ReLU, written out. As a loop with all that may follow it took a third of the time of sampling.
    if ((flags & PLAIN) != 0u) {
      let relu = vec4<bool>((flags & 255u) == ACT_RELU);
      #repeat u 0 2:
      plain($u, width, constants, output_at, relu, sums[$u * 4], sums[$u * 4 + 1], sums[$u * 4 + 2], sums[$u * 4 + 3]);
      #end;
      if (width > 2u) {
        #repeat u 2 4:
        plain($u, width, constants, output_at, relu, sums[$u * 4], sums[$u * 4 + 1], sums[$u * 4 + 2], sums[$u * 4 + 3]);
        #end;
      }
      if (width > 4u) {
        #repeat u 4 8:
        plain($u, width, constants, output_at, relu, sums[$u * 4], sums[$u * 4 + 1], sums[$u * 4 + 2], sums[$u * 4 + 3]);
        #end;
      }
      continue;
    }
    let raw_row = tasks[task + 5u];
    let addend_row = tasks[task + 6u];
    let gate_row = tasks[task + 7u];
    // A loop, not 32 calls: inlined calls made the pipeline take 10 s to compile on SwiftShader, this takes a tenth.
    let quads = (width + 3u) / 4u; // vec4 of constants: bias, then scale, then shift
    for (var i = 0u; i < 4u * width; i++) {
      let unit = unit_at(i / 4u, width);
      let offset = (i % 4u) * 4u; // of the row group
      var v = sums[i] + bias[constants + unit / 4u][unit % 4u];
      if (gate_row != NONE) { v *= accurate_sigmoid(side[side_at + offset + (gate_row + unit) * TILE4]); }
      if (addend_row != NONE) { v += side[side_at + offset + (addend_row + unit) * TILE4]; }
      if ((flags & HAS_SKIP) != 0u) { v += state[first + offset + tasks[task + SKIPS + unit] * TILE4]; }
      if (raw_row != NONE) { state[first + offset + (raw_row + unit) * TILE4] = v; }
      if ((flags & HAS_SCALE) != 0u) {
        v = v * bias[constants + quads + unit / 4u][unit % 4u] + bias[constants + 2u * quads + unit / 4u][unit % 4u];
      }
      state[output_at + offset + unit * TILE4] = activate(flags & 255u, v);
    }
  }
  if (HAS_LOG_DET) {
    for (var g = 0u; g < 4u; g++) { log_det[group + g * 4u] += total[g] + part[g]; }
  }
}
