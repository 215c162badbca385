// Spectral normalisation of a linear layer's weights W, and its gradient with the singular vectors held fixed.
//
//   spectral_norm            ITERATIONS times, from v_0 = start_v:  v_k+1 = W^T W v_k - m_k v_k-1, m_k = (0.98 |W v_k|^2 / |v_k|^2)^2 / 4;
//                            then v = v_n / |v_n| and u = W v / |W v|. 0 iterations: u and v are start_u and start_v
//                            sigma = u . W v, s = min(1, COEFF / sigma), weight[i] = s W[place[i] - 1], 0 where place[i] is 0
//   spectral_norm_backward   d_raw[place[i] - 1] += s d_weight[i]; where sigma > COEFF also, for all o and k:
//                            d_raw[o, k] -= (s / sigma) u[o] v[k] sum over i of d_weight[i] W[place[i] - 1]
//
// The term in m is the momentum of a power iteration: what lies above 0.98 of the largest eigenvalue grows, all below alike little. From the
// vector of another random matrix, 32 iterations find sigma to 2e-6 in the median (64 to 256 units), where those without it find 3e-3.
// d sigma = u^T dW v: exact where u and v are the singular vectors, and the convention of the libraries that store them. One workgroup
// does all of it, by far the smallest part of a step.
//
// Shapes      raw, d_raw f32 [outputs, inputs]; start_u, u f32 [outputs]; start_v f32 [inputs], v f32 [2, inputs] with v_k-1 behind it; place f32 (an index is exact below 2^24),
//             weight, d_weight f32 [length], each place at most once; sigma f32 [1].
// Error       spectral_norm 2e-6, backward 4e-6 relative to max(1, |value|) (tests/cases/spectral-norm-backward.ts).
// Derivative  as above.
// Paper       Miyato et al. 2018, arXiv:1802.05957; Behrmann et al. 2019, arXiv:1811.00995, section 3.3; Xu et al. 2018, arXiv:1707.02670
//             (power iteration with momentum).

struct Params {
  outputs: u32,
  inputs: u32,
  length: u32,
  iterations: u32,
  coeff: f32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> raw: array<f32>;
@group(0) @binding(3) var<storage, read> place: array<f32>;
@group(0) @binding(4) var<storage, read> start_u: array<f32>;
@group(0) @binding(5) var<storage, read> start_v: array<f32>;
@group(0) @binding(6) var<storage, read_write> u: array<f32>;
@group(0) @binding(7) var<storage, read_write> v: array<f32>;
@group(0) @binding(8) var<storage, read_write> weight: array<f32>;
@group(0) @binding(9) var<storage, read_write> sigma: array<f32>;
@group(0) @binding(10) var<storage, read> left: array<f32>;  // u, v and sigma again, to be read
@group(0) @binding(11) var<storage, read> right: array<f32>;
@group(0) @binding(12) var<storage, read> norm: array<f32>;
@group(0) @binding(13) var<storage, read> d_weight: array<f32>;
@group(0) @binding(14) var<storage, read_write> d_raw: array<f32>;

const LANES = 128u;
var<workgroup> parts: array<f32, 128>;

/// Sum over lanes, in their order.
fn total(lane: u32, part: f32) -> f32 {
  workgroupBarrier();
  parts[lane] = part;
  workgroupBarrier();
  var sum = 0.0;
  for (var i = 0u; i < LANES; i++) { sum += parts[i]; }
  return sum;
}

/// 1 / sqrt(square) by one Newton step on the builtin; 0 for 0.
fn reciprocal_root(square: f32) -> f32 {
  let root = sqrt(square);
  if (root == 0.0) { return 0.0; }
  return 2.0 / (root + square / root);
}

/// u = W v / |W v|; returns |W v|.
fn apply(lane: u32) -> f32 {
  var square = 0.0;
  for (var o = lane; o < params.outputs; o += LANES) {
    var sum = 0.0;
    for (var k = 0u; k < params.inputs; k++) { sum = fma(raw[o * params.inputs + k], v[k], sum); }
    u[o] = sum;
    square = fma(sum, sum, square);
  }
  let all = total(lane, square);
  let factor = reciprocal_root(all);
  for (var o = lane; o < params.outputs; o += LANES) { u[o] *= factor; }
  storageBarrier();
  return all * factor;
}

/// The next v, of which `size` is |W v| with the present one.
fn apply_transposed(lane: u32, size: f32, momentum: f32) {
  var square = 0.0;
  for (var k = lane; k < params.inputs; k += LANES) {
    var sum = 0.0;
    for (var o = 0u; o < params.outputs; o++) { sum = fma(raw[o * params.inputs + k], u[o], sum); }
    let present = v[k];
    let next = sum - momentum * v[params.inputs + k]; // the whole divided by size
    v[k] = next;
    v[params.inputs + k] = present;
    square = fma(next, next, square);
  }
  let factor = reciprocal_root(total(lane, square));
  for (var k = lane; k < params.inputs; k += LANES) {
    v[k] *= factor;
    v[params.inputs + k] *= factor / max(size, 1e-30);
  }
  storageBarrier();
}

@compute @workgroup_size(128)
fn spectral_norm(@builtin(local_invocation_index) lane: u32) {
  for (var o = lane; o < params.outputs; o += LANES) { u[o] = start_u[o]; }
  for (var k = lane; k < params.inputs; k += LANES) {
    v[k] = start_v[k];
    v[params.inputs + k] = 0.0;
  }
  storageBarrier();
  for (var step = 0u; step < params.iterations; step++) {
    let size = apply(lane);
    // The first two sizes say little of the largest.
    apply_transposed(lane, size, select(0.0, 0.2401 * size * size * size, step >= 2u));
  }
  if (params.iterations > 0u) { _ = apply(lane); }
  var part = 0.0;
  for (var o = lane; o < params.outputs; o += LANES) {
    var sum = 0.0;
    for (var k = 0u; k < params.inputs; k++) { sum = fma(raw[o * params.inputs + k], v[k], sum); }
    part = fma(u[o], sum, part);
  }
  let found = total(lane, part);
  if (lane == 0u) { sigma[0] = found; }
  let scale = select(params.coeff / found, 1.0, found <= params.coeff);
  for (var i = lane; i < params.length; i += LANES) {
    let at = u32(place[i]);
    weight[i] = 0.0;
    if (at > 0u) { weight[i] = scale * raw[at - 1u]; }
  }
}

@compute @workgroup_size(128)
fn spectral_norm_backward(@builtin(local_invocation_index) lane: u32) {
  let found = norm[0];
  let shrinks = found > params.coeff;
  let scale = select(1.0, params.coeff / found, shrinks);
  var part = 0.0;
  for (var i = lane; i < params.length; i += LANES) {
    let at = u32(place[i]);
    if (at > 0u) {
      part = fma(d_weight[i], raw[at - 1u], part);
      d_raw[at - 1u] += scale * d_weight[i];
    }
  }
  let along = total(lane, part) * scale / found;
  storageBarrier();
  if (!shrinks) { return; }
  for (var i = lane; i < params.outputs * params.inputs; i += LANES) {
    d_raw[i] -= along * left[i / params.inputs] * right[i % params.inputs];
  }
}
