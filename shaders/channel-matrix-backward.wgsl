// The matrix of a learned 1x1 convolution as conv2d reads it, and its log-det: the ActNorm before it folded in.
//
//   channel_matrix            W[i, j] = Σ over k ≤ j of A[i, k] R[k, j] e^-s[j];   log_det = start + pixels · Σ over j of (r[j, j] - s[j])
//   channel_matrix_backward   with G = d W and F[k, j] = R[k, j] e^-s[j]:
//                             d A[i, k] += Σ over j ≥ k of G[i, j] F[k, j];   d F[k, j] = Σ over i of A[i, k] G[i, j];
//                             d r[k, j] += d F[k, j] e^-s[j] above the diagonal, d F[j, j] F[j, j] + pixels · d log_det on it;
//                             d s[j] += -Σ over i of G[i, j] W[i, j] - pixels · d log_det;   d start += d log_det
//
// R is upper triangular: r above the diagonal, sign[j] e^r[j, j] on it. With P L for A that is the P L (U + diag(s)) of Glow; with r = 0
// and signs of 1 any matrix A, whose own log-det is `start`. One invocation an entry, run once for all rows, C³ multiply-adds.
//
// Shapes      entries, d_entries f32 [2 C² + 2 C] = A, r row-major, s, sign; weight, made, d_weight f32 [ceil(C / 8), C, 8];
//             start, log_det and their gradients f32 [1].
// Error       8 + C / 8 units in the last place of the terms (tests/cases/channel-matrix-backward.ts).
// Derivative  above, by all but sign.
// Paper       Kingma and Dhariwal 2018, arXiv:1807.03039, section 3.2.

#import "lib/math.wgsl"

struct Params {
  channels: u32, // C
  pixels: f32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> entries: array<f32>;
@group(0) @binding(3) var<storage, read> start: array<f32>;
@group(0) @binding(4) var<storage, read_write> weight: array<f32>;
@group(0) @binding(5) var<storage, read_write> log_det: array<f32>;
@group(0) @binding(6) var<storage, read> made: array<f32>;
@group(0) @binding(7) var<storage, read> d_weight: array<f32>;
@group(0) @binding(8) var<storage, read> d_log_det: array<f32>;
@group(0) @binding(9) var<storage, read_write> d_entries: array<f32>;
@group(0) @binding(10) var<storage, read_write> d_start: array<f32>;

/// Where row i of column j lies among packed weights.
fn place(i: u32, j: u32) -> u32 { return (i / 8u * params.channels + j) * 8u + i % 8u; }

fn left(i: u32, k: u32) -> f32 { return entries[i * params.channels + k]; }

fn norm(j: u32) -> f32 { return entries[2u * params.channels * params.channels + j]; }

/// F[k, j] for k ≤ j.
fn right(k: u32, j: u32) -> f32 {
  let n = params.channels;
  let r = entries[n * n + k * n + j];
  let scale = accurate_exp(vec4<f32>(select(0.0, r, k == j) - norm(j))).x;
  return select(r, entries[2u * n * n + n + j], k == j) * scale;
}

@compute @workgroup_size(64)
fn channel_matrix(@builtin(global_invocation_id) id: vec3<u32>) {
  let n = params.channels;
  let i = id.x / n;
  let j = id.x % n;
  if (i >= (n + 7u) / 8u * 8u) { return; }
  var sum = 0.0;
  if (i < n) {
    for (var k = 0u; k <= j; k++) { sum = fma(left(i, k), right(k, j), sum); }
  }
  weight[place(i, j)] = sum;
  if (id.x > 0u) { return; }
  var scales = 0.0;
  for (var k = 0u; k < n; k++) { scales += entries[n * n + k * n + k] - norm(k); }
  log_det[0] = start[0] + params.pixels * scales;
}

@compute @workgroup_size(64)
fn channel_matrix_backward(@builtin(global_invocation_id) id: vec3<u32>) {
  let n = params.channels;
  let i = id.x / n;
  let j = id.x % n;
  if (i >= n) { return; }
  // Entry (i, j) of A, then of r, then s of column j.
  var to_left = 0.0;
  for (var k = j; k < n; k++) { to_left = fma(d_weight[place(i, k)], right(j, k), to_left); }
  d_entries[id.x] += to_left;
  if (i > j) { return; }
  let volume = params.pixels * d_log_det[0];
  var to_right = 0.0;
  for (var k = 0u; k < n; k++) { to_right = fma(left(k, i), d_weight[place(k, j)], to_right); }
  if (i < j) {
    d_entries[n * n + id.x] += to_right * accurate_exp(vec4<f32>(-norm(j))).x;
    return;
  }
  d_entries[n * n + id.x] += to_right * right(j, j) + volume;
  var along = 0.0;
  for (var k = 0u; k < n; k++) { along = fma(d_weight[place(k, j)], made[place(k, j)], along); }
  d_entries[2u * n * n + j] -= along + volume;
  if (id.x == 0u) { d_start[0] += d_log_det[0]; }
}
