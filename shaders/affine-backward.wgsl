// Vector-Jacobian product of the affine transformer (affine.wgsl), all features at once.
//
//   y = a x + t, l = log a           d x = a d y         d t = d y           d log a =  a x d y + d l
//   y = (x - t) / a, l = -log a      d x = d y / a       d t = -d y / a      d log a = -y d y - d l       (UNDO)
//   d u = d log a  (d log a / d u)                       a feature without a slot: d x = d y
//
// Interpolated (MIX = m < 1), with l the log of f's factor, p = d x = e^(log|dy/dx|) d y and q = m e^l / (1 - m + m e^l):
//
//   f multiplies   d t = m d y     d l =  q (x p + d l')                inverted (BACK)   d t = -m p      d l = -q (y d y + d l')
//   f divides      d t = -q p      d l =  q ((x - t) p + d l')                            d t = q d y     d l = q (t p - y d y - d l')
//
// where d l' is the gradient by the log-det and d log a = d l, or -d l where f divides.
//
// Shapes      x, d_y, d_x tiled [features, rows]; parameters, d_parameters tiled [parameter_features, rows]; slot u32 [features], as in
//             affine.wgsl, with places of d_y where PLACED; d_log_terms tiled [slots, rows].
// Error       2e-6 relative to max(1, |value|) (tests/cases/affine-backward.ts).
// Derivative  not yet: of second order in a loss only where a transformer lies inside a trace.
// Paper       Papamakarios et al. 2017, arXiv:1705.07057; Dinh et al. 2017, arXiv:1605.08803.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/affine.wgsl"

const PASSES = 0xffffffffu;

struct Params {
  features: u32,
  slots: u32,
  parameter_features: u32,
}

override HAS_Y: bool = true; // the loss depends on y
override HAS_LOG_DET: bool = true; // and on the log-det terms
override PLACED: bool = false; // feature f of d_y lies where slot[features + f] says

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> parameters: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> slot: array<u32>;
@group(0) @binding(5) var<storage, read> d_y: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> d_log_terms: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> d_x: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> d_parameters: array<vec4<f32>>;

fn bell(v: vec4<f32>) -> vec4<f32> {
  let e = accurate_exp(-abs(v));
  return e / ((1.0 + e) * (1.0 + e));
}

/// d log a / d u.
fn log_scale_slope(u: vec4<f32>, log_a: vec4<f32>) -> vec4<f32> {
  switch SCALE {
    case SCALE_SOFTPLUS: { return times_exp(accurate_sigmoid(u), -log_a); }
    case SCALE_SIGMOID: { return times_exp(bell(u + OFFSET), -log_a); }
    case SCALE_SOFTPLUS_CLAMPED: {
      return select(times_exp(accurate_sigmoid(u), -log_a), vec4<f32>(0.0), accurate_softplus(u) + EPS > vec4<f32>(HIGH));
    }
    case SCALE_SOFTCLIP: {
      let below = 1.0 + abs(u / HIGH);
      return 1.0 / (below * below);
    }
    case SCALE_RECIPROCAL_SIGMOID: { return -accurate_sigmoid(-u - OFFSET); }
    case SCALE_TANH: { return 4.0 * HIGH * bell(2.0 * u); }
    case SCALE_CLAMP: { return select(vec4<f32>(0.0), vec4<f32>(1.0), (u >= vec4<f32>(LOW)) & (u <= vec4<f32>(HIGH))); }
    default: { return vec4<f32>(1.0); }
  }
}

struct Backward {
  shift: vec4<f32>,
  log_a: vec4<f32>,
}

/// Of the interpolated layer, from log a: passed is d x.
fn mixed_backward(x: vec4<f32>, t: vec4<f32>, y: vec4<f32>, log_a: vec4<f32>, d_y: vec4<f32>, passed: vec4<f32>, d_log: vec4<f32>) -> Backward {
  let divides = UNDO != BACK;
  let l = select(log_a, -log_a, vec4<bool>(divides));
  let q = accurate_sigmoid(l + accurate_log(vec4<f32>(MIX / max(REST, 1e-30))));
  if (BACK) {
    if (divides) { return Backward(q * d_y, -q * (t * passed - y * d_y - d_log)); }
    return Backward(-MIX * passed, -q * (y * d_y + d_log));
  }
  if (divides) { return Backward(-q * passed, -q * ((x - t) * passed + d_log)); }
  return Backward(MIX * d_y, q * (x * passed + d_log));
}

@compute @workgroup_size(16, 4)
fn affine_backward(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.y;
  if (id.x * 4u >= rows() || f >= params.features) { return; }
  let tile = tiled(params.features, id.x);
  let at = tile + f * TILE4;
  var of_y = f;
  if (PLACED) { of_y = slot[params.features + f]; }
  var gradient = vec4<f32>(0.0);
  if (HAS_Y) { gradient = d_y[tile + of_y * TILE4]; }
  let j = slot[f];
  if (j == PASSES) {
    d_x[at] = gradient;
    return;
  }
  let p = tiled(params.parameter_features, id.x) + j * TILE4;
  if (SCALE == SCALE_NONE) {
    d_x[at] = gradient;
    d_parameters[p] = MIX * select(gradient, -gradient, vec4<bool>(UNDO));
    return;
  }
  let t = parameters[p];
  let u = parameters[p + params.slots * TILE4];
  var d_log = vec4<f32>(0.0);
  if (HAS_LOG_DET) { d_log = d_log_terms[tiled(params.slots, id.x) + j * TILE4]; }
  let moved = move_affine(x[at], t, u); // log_det is log a, or -log a with UNDO: log|dy/dx| either way
  let passed = times_exp(gradient, moved.log_det);
  d_x[at] = passed;
  if (MIX < 1.0) {
    var log_a = log_scale(u);
    if (SCALE == SCALE_SOFTPLUS || SCALE == SCALE_SIGMOID || SCALE == SCALE_SOFTPLUS_CLAMPED) { log_a = accurate_log(positive_scale(u)); }
    let back = mixed_backward(x[at], t, moved.value, log_a, gradient, passed, d_log);
    d_parameters[p] = back.shift;
    d_parameters[p + params.slots * TILE4] = back.log_a * log_scale_slope(u, log_a);
    return;
  }
  d_parameters[p] = select(gradient, -passed, vec4<bool>(UNDO));
  let d_log_a = select(x[at] * passed + d_log, -moved.value * gradient - d_log, vec4<bool>(UNDO));
  d_parameters[p + params.slots * TILE4] = d_log_a * log_scale_slope(u, select(moved.log_det, -moved.log_det, vec4<bool>(UNDO)));
}
