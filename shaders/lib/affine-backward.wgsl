// Vector-Jacobian product of lib/affine.wgsl, whose constants these are: affine-backward.wgsl has the equations.

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

/// Gradients by x, t and u.
struct TurnedBack {
  x: vec4<f32>,
  shift: vec4<f32>,
  scale: vec4<f32>,
}

/// @param d_log the gradient by the log-det.
fn turn_back(x: vec4<f32>, t: vec4<f32>, u: vec4<f32>, gradient: vec4<f32>, d_log: vec4<f32>) -> TurnedBack {
  if (SCALE == SCALE_NONE) { return TurnedBack(gradient, MIX * select(gradient, -gradient, vec4<bool>(UNDO)), vec4<f32>(0.0)); }
  let moved = move_affine(x, t, u); // log_det is log a, or -log a with UNDO: log|dy/dx| either way
  let passed = times_exp(gradient, moved.log_det);
  if (MIX < 1.0) {
    var log_a = log_scale(u);
    if (SCALE == SCALE_SOFTPLUS || SCALE == SCALE_SIGMOID || SCALE == SCALE_SOFTPLUS_CLAMPED) { log_a = accurate_log(positive_scale(u)); }
    let back = mixed_backward(x, t, moved.value, log_a, gradient, passed, d_log);
    return TurnedBack(passed, back.shift, back.log_a * log_scale_slope(u, log_a));
  }
  let d_log_a = select(x * passed + d_log, -moved.value * gradient - d_log, vec4<bool>(UNDO));
  return TurnedBack(
    passed,
    select(gradient, -passed, vec4<bool>(UNDO)),
    d_log_a * log_scale_slope(u, select(moved.log_det, -moved.log_det, vec4<bool>(UNDO))),
  );
}
