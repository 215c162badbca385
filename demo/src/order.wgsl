// Which sample lies in which cell of the sheet. Sorting happens here, between sampling and drawing, so that a sorted sheet needs no
// trip of the log-densities through the CPU before it can be drawn.

struct Order {
  count: u32,
  sorted: u32,
}

@group(0) @binding(0) var<uniform> call: Order;
@group(0) @binding(1) var<storage, read> log_prob: array<f32>;
@group(0) @binding(2) var<storage, read_write> order: array<u32>;

@compute @workgroup_size(64)
fn arrange(@builtin(global_invocation_id) id: vec3<u32>) {
  let own = id.x;
  if (own >= call.count) { return; }
  var cell = own;
  if (call.sorted != 0u) {
    // Rank by counting: at most 256 samples. Equal densities keep the order of the draw.
    cell = 0u;
    for (var other = 0u; other < call.count; other++) {
      if (log_prob[other] > log_prob[own] || (log_prob[other] == log_prob[own] && other < own)) { cell++; }
    }
  }
  order[cell] = own;
}
