// The sequential solve of autoregressive-solve.wgsl by a team: a workgroup of 16 × 8 invocations owns a tile of 64 rows, each invocation four
// rows of one unit of a strip. Tasks are the same; a barrier stands between them, since a task reads what others of the team wrote. Rows go through
// an eighth of the steps, four times as many invocations a row work on them: for adapters with more processors than a batch has rows.

#import "lib/solve-tasks.wgsl"

fn solve_by_team(group: u32, unit: u32) {
  let inside = group * 4u < rows();
  let first = tiled(params.nodes, group);
  let rows_at = tiled(params.dim, group);
  let side_at = tiled(params.side_features, group);
  if (unit == 0u) { state[first + (params.nodes - 1u) * TILE4] = vec4<f32>(0.0); } // read by the other variant alone
  var total = vec4<f32>(0.0);
  var part = vec4<f32>(0.0); // log-det in blocks of 8 features, as in row-sum
  var in_block = 0u;
  for (var t = 0u; t < params.tasks; t++) {
    let task = t * TASK;
    let kind = tasks[task];
    let width = 8u >> kind; // 8 or 4 units
    if (kind == KIND_FEATURE) {
      if (unit == 0u) {
        let from_at = rows_at + tasks[task + 1u] * TILE4;
        let from_row = tasks[task + FROM_STATE];
        var before: vec4<f32>;
        if (from_row == NONE) { before = source[from_at]; } else { before = state[first + from_row * TILE4]; }
        let moved = transform(before, first + tasks[task + 2u] * TILE4, tasks[task + 3u] * TILE4);
        state[first + tasks[task + 4u] * TILE4] = moved.value;
        if (inside) { result[from_at] = moved.value; }
        part += moved.log_det;
        if (in_block == 7u) {
          total += part;
          part = vec4<f32>(0.0);
        }
        in_block = (in_block + 1u) % 8u;
      }
    } else if (unit < width) {
      let count = tasks[task + 1u];
      let partial_row = tasks[task + 10u];
      var at = first + tasks[task + 3u] * TILE4;
      var w = tasks[task + 2u] * 4u + unit; // of single weights: `width` for each input
      var sum = vec4<f32>(0.0);
      if (partial_row != NONE) { sum = state[first + (partial_row + unit) * TILE4]; }
      if (PANELS && tasks[task + PANEL] != NONE) { sum = side[side_at + (tasks[task + PANEL] + unit) * TILE4]; }
      for (var start = 0u; start < count; start += RUN) {
        let end = min(start + RUN, count);
        var run = vec4<f32>(0.0);
        for (var k = start; k < end; k++) {
          run = fma(vec4<f32>(weights_of(w / 4u)[w % 4u]), state[at], run);
          at += TILE4;
          w += width;
        }
        sum += run;
      }
      let constants = tasks[task + 8u];
      let flags = tasks[task + 9u];
      let raw_row = tasks[task + 5u];
      let addend_row = tasks[task + 6u];
      let gate_row = tasks[task + 7u];
      let quads = (width + 3u) / 4u; // vec4 of constants: bias, then scale, then shift
      var v = sum + bias[constants + unit / 4u][unit % 4u];
      if (gate_row != NONE) { v *= accurate_sigmoid(side[side_at + (gate_row + unit) * TILE4]); }
      if (addend_row != NONE) { v += side[side_at + (addend_row + unit) * TILE4]; }
      if ((flags & HAS_SKIP) != 0u) { v += state[first + tasks[task + SKIPS + unit] * TILE4]; }
      if (raw_row != NONE) { state[first + (raw_row + unit) * TILE4] = v; }
      if ((flags & HAS_SCALE) != 0u) {
        v = v * bias[constants + quads + unit / 4u][unit % 4u] + bias[constants + 2u * quads + unit / 4u][unit % 4u];
      }
      state[first + (tasks[task + 4u] + unit) * TILE4] = activate(flags & 255u, v);
    }
    storageBarrier();
  }
  if (HAS_LOG_DET && unit == 0u && inside) { log_det[group] += total + part; }
}
