// A density to compare the others of a picture with: the mean of p under p itself, log(Σ p²) − log(Σ p) over the grid. Unlike the highest
// density it does not jump when one cell does.

@group(0) @binding(0) var<storage, read> log_prob: array<f32>;
@group(0) @binding(1) var<storage, read_write> level: array<f32>;

const THREADS = 256u;
// What a log-density of −∞ or NaN counts as.
const LOWEST = -1e30;

var<workgroup> parts: array<vec2<f32>, THREADS>;

fn finite(value: f32) -> f32 {
  return select(LOWEST, value, value > LOWEST && value < 1e30);
}

@compute @workgroup_size(THREADS)
fn measure(@builtin(local_invocation_index) own: u32) {
  let count = arrayLength(&log_prob);
  var highest = LOWEST;
  for (var i = own; i < count; i += THREADS) { highest = max(highest, finite(log_prob[i])); }
  parts[own] = vec2<f32>(highest);
  workgroupBarrier();
  for (var half = THREADS / 2u; half > 0u; half /= 2u) {
    if (own < half) { parts[own] = max(parts[own], parts[own + half]); }
    workgroupBarrier();
  }
  highest = parts[0].x;
  workgroupBarrier();
  var sums = vec2<f32>(0.0);
  for (var i = own; i < count; i += THREADS) {
    let p = exp(finite(log_prob[i]) - highest);
    sums += vec2<f32>(p, p * p);
  }
  parts[own] = sums;
  workgroupBarrier();
  for (var half = THREADS / 2u; half > 0u; half /= 2u) {
    if (own < half) { parts[own] += parts[own + half]; }
    workgroupBarrier();
  }
  if (own == 0u) { level[0] = highest + log(parts[0].y) - log(parts[0].x); }
}
