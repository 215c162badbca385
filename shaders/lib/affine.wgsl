// Affine transformers: y = a x + t, with the scale a made from an unconstrained number u. src/kernels/affine.ts holds the names.
//
//   none      a = 1                               (NICE, arXiv:1410.8516)
//   exp       log a = u                           (MAF, arXiv:1705.07057; RealNVP, arXiv:1605.08803)
//   softplus  a = softplus(u) + EPS               (nflows)
//   sigmoid   a = sigmoid(u + OFFSET) + EPS       (nflows, normflows: OFFSET 2)
//   softplus clamped    a = min(softplus(u) + EPS, HIGH)   (nflows: HIGH 3)
//   softclip  log a = u / (1 + |u / HIGH|)        (zuko: HIGH = -log slope)
//   tanh      log a = HIGH tanh(u)                (RealNVP)
//   clamp     log a = min(max(u, LOW), HIGH)      (TFP, Pyro: -5 and 3)
//   reciprocal sigmoid   a = 1 / sigmoid(u + OFFSET), log a = softplus(-u - OFFSET)   (Glow, arXiv:1807.03039: OFFSET 2)
//
// Interpolated, MIX = m in (0, 1]: the layer is v + m (f(v) - v), f one of y = a v + t and y = (v - t) / a. With l the log of f's factor,
// a or 1 / a, its own factor is d = 1 - m + m e^l: again affine, so that the inverse is as closed. d is a sum of positive terms, taken by
// e^-|l|, so nothing overflows; log d is log1p(m expm1(l)) where d is near 1.
#import "lib/math.wgsl"

const SCALE_NONE = 0u;
const SCALE_EXP = 1u;
const SCALE_SOFTPLUS = 2u;
const SCALE_SIGMOID = 3u;
const SCALE_SOFTPLUS_CLAMPED = 4u;
const SCALE_SOFTCLIP = 5u;
const SCALE_TANH = 6u;
const SCALE_CLAMP = 7u;
const SCALE_RECIPROCAL_SIGMOID = 8u;

override SCALE: u32 = 1u;
override EPS: f32 = 0.0;
override OFFSET: f32 = 0.0;
override LOW: f32 = 0.0;
override HIGH: f32 = 0.0;
override UNDO: bool = false; // true: y = (x - t) / a, and log|dy/dx| = -log a
override MIX: f32 = 1.0;
override REST: f32 = 0.0; // 1 - MIX, rounded once
override BACK: bool = false; // with MIX < 1: this call inverts the interpolation; f divides where UNDO differs from BACK

struct Moved {
  value: vec4<f32>,
  log_det: vec4<f32>, // log|dy/dx|, nats
}

fn log_scale(u: vec4<f32>) -> vec4<f32> {
  switch SCALE {
    case SCALE_SOFTCLIP: { return u / (1.0 + abs(u / HIGH)); }
    case SCALE_TANH: { return HIGH * accurate_tanh(u); }
    case SCALE_RECIPROCAL_SIGMOID: { return accurate_softplus(-u - OFFSET); }
    case SCALE_CLAMP: {
      let above = select(u, vec4<f32>(HIGH), u > vec4<f32>(HIGH));
      return select(above, vec4<f32>(LOW), above < vec4<f32>(LOW));
    }
    default: { return u; }
  }
}

fn positive_scale(u: vec4<f32>) -> vec4<f32> {
  switch SCALE {
    case SCALE_SOFTPLUS: { return accurate_softplus(u) + EPS; }
    case SCALE_SIGMOID: { return accurate_sigmoid(u + OFFSET) + EPS; }
    default: {
      let a = accurate_softplus(u) + EPS;
      return select(a, vec4<f32>(HIGH), a > vec4<f32>(HIGH));
    }
  }
}

/// The interpolated layer or its inverse (BACK), from log a.
fn move_mixed(x: vec4<f32>, t: vec4<f32>, log_a: vec4<f32>) -> Moved {
  let divides = UNDO != BACK;
  let l = select(log_a, -log_a, vec4<bool>(divides));
  let up = l > vec4<f32>(0.0);
  let e = accurate_exp(-abs(l));
  // The factor is d e^max(l, 0), f's is e e^max(l, 0) or, up, e^max(l, 0).
  let d = select(REST + MIX * e, MIX + REST * e, up);
  let high = select(vec4<f32>(0.0), l, up);
  let near = (l > vec4<f32>(-0.7)) & (l < vec4<f32>(20.0));
  let log_d = select(high + accurate_log(d), accurate_log1p(MIX * accurate_expm1(l)), near);
  let shift = MIX * t;
  let within = select(shift * e, shift, up); // of a dividing f: m t / a = within e^max(l, 0)
  if (BACK) {
    if (divides) { return Moved(select(x + within, x * e + within, up) / d, -log_d); }
    return Moved(times_exp((x - shift) / d, -high), -log_d);
  }
  if (divides) { return Moved(times_exp(x * d - within, high), log_d); }
  return Moved(times_exp(x * d, high) + shift, log_d);
}

/// The transformer or its inverse (UNDO), elementwise. The exponential family multiplies by exp(-log a) instead of dividing.
fn move_affine(x: vec4<f32>, t: vec4<f32>, u: vec4<f32>) -> Moved {
  if (SCALE == SCALE_NONE) {
    return Moved(select(x + MIX * t, x - MIX * t, vec4<bool>(UNDO)), vec4<f32>(0.0));
  }
  if (SCALE == SCALE_SOFTPLUS || SCALE == SCALE_SIGMOID || SCALE == SCALE_SOFTPLUS_CLAMPED) {
    let a = positive_scale(u);
    let log_a = accurate_log(a);
    if (MIX < 1.0) { return move_mixed(x, t, log_a); }
    if (UNDO) { return Moved((x - t) / a, -log_a); }
    return Moved(x * a + t, log_a);
  }
  let log_a = log_scale(u);
  if (MIX < 1.0) { return move_mixed(x, t, log_a); }
  if (UNDO) { return Moved(times_exp(x - t, -log_a), -log_a); }
  return Moved(times_exp(x, log_a) + t, log_a);
}
