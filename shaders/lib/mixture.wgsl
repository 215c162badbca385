// Mixture-of-Gaussians transformer: z is the normal quantile of a mixture's distribution function, feature by feature.
//
//   F(x) = sum over k of pi[k] Phi(u[k]),  p = F',  u[k] = (x - mu[k]) / sigma[k]
//   pi = softmax(logits),  sigma = softplus(s) + EPS
//   z = Phi^-1(F(x)),  log dz/dx = log p(x) - log phi(z)
//
// so that the density of x is the mixture's. Parameters of a feature: COMPONENTS logits, then as many means, then as many s, `stride`
// apart from `at` on in the buffer `state`, which the importing file binds read_write: `normalise` turns them, in place, into log pi, mu and
// 1 / sigma, once, before anything else is asked.
//
// No step subtracts large numbers. With R Mills' ratio (lib/normal.wgsl) a component's smaller side is S = pi phi(u) R(|u|), its larger one
// pi - S, both positive; the smaller of F and 1 - F is the sum of such terms, scaled by its largest where it is below e^-40. With Q that
// smaller one and t = |z|, log dz/dx = log(p R(t) / Q): the exponents of p and Q are taken out before and differ by little.
#import "lib/normal.wgsl"

override COMPONENTS: u32 = 1u;
override EPS: f32 = 0.01;

const TINY = -40.0;       // log of what is summed without a scale
const LEAST = -3.0e38;
const MOST = 3.0e38;
const FARTHEST = 1.0e18;  // deviations; z is infinite there
const STEPS = 48u;        // of Newton's method, or halvings; 4 to 10 are usual
const RESIDUAL = 6e-7;    // of z, relative to 1 + |z|: what `mixture_at` itself is good for
const HALF_ULP = 6e-8;

struct Moved {
  value: vec4<f32>,
  log_det: vec4<f32>, // nats
}

struct Mixture {
  z: vec4<f32>,
  log_slope: vec4<f32>, // log dz/dx, nats
  slope: vec4<f32>,     // dz/dx; 0 where it is below float32
}

fn normalise(at: u32, stride: u32) {
  var top = vec4<f32>(LEAST);
  for (var k = 0u; k < COMPONENTS; k++) {
    let logit = state[at + k * stride];
    top = select(top, logit, logit > top);
  }
  var sum = vec4<f32>(0.0);
  for (var k = 0u; k < COMPONENTS; k++) { sum += accurate_exp(state[at + k * stride] - top); }
  let log_sum = accurate_log(sum);
  for (var k = 0u; k < COMPONENTS; k++) {
    let scale_at = at + (2u * COMPONENTS + k) * stride;
    state[at + k * stride] = (state[at + k * stride] - top) - log_sum;
    state[scale_at] = 1.0 / (accurate_softplus(state[scale_at]) + EPS);
  }
}

/// u[k], held at FARTHEST so that its square stays finite.
fn deviation(x: vec4<f32>, at: u32, stride: u32, k: u32) -> vec4<f32> {
  let u = (x - state[at + (COMPONENTS + k) * stride]) * state[at + (2u * COMPONENTS + k) * stride];
  let held = select(u, vec4<f32>(FARTHEST), u > vec4<f32>(FARTHEST));
  return select(held, vec4<f32>(-FARTHEST), held < vec4<f32>(-FARTHEST));
}

/// An exponent log pi - u^2 / 2 in its two parts: either may be -1e15, and the difference of two of them 1.
struct Exponent {
  log_pi: vec4<f32>,
  square: vec4<f32>,
}

fn larger(a: Exponent, log_pi: vec4<f32>, square: vec4<f32>) -> Exponent {
  let other = log_pi + square > a.log_pi + a.square;
  return Exponent(select(a.log_pi, log_pi, other), select(a.square, square, other));
}

fn choose(a: Exponent, b: Exponent, second: vec4<bool>) -> Exponent {
  return Exponent(select(a.log_pi, b.log_pi, second), select(a.square, b.square, second));
}

fn mixture_at(x: vec4<f32>, at: u32, stride: u32) -> Mixture {
  // Largest exponent of p, and of either side.
  let zero = vec4<f32>(0.0);
  let least = Exponent(vec4<f32>(LEAST), zero);
  var top = least;
  var top_below = least;
  var top_above = least;
  for (var k = 0u; k < COMPONENTS; k++) {
    let log_pi = state[at + k * stride];
    let u = deviation(x, at, stride, k);
    let square = -0.5 * u * u;
    let right = u >= zero;
    top = larger(top, log_pi, square);
    top_below = larger(top_below, log_pi, select(square, zero, right));
    top_above = larger(top_above, log_pi, select(zero, square, right));
  }
  let far_left = top_below.log_pi + top_below.square < vec4<f32>(TINY);
  let far_right = top_above.log_pi + top_above.square < vec4<f32>(TINY);
  let far = far_left | far_right;
  // `near_side` is the sum for F, or for 1 - F far on the right; `other` counts only where neither is small.
  let scale = choose(choose(Exponent(zero, zero), top_above, far_right), top_below, far_left);
  let difference = (top.log_pi - scale.log_pi) + (top.square - scale.square);
  let relative = accurate_exp(difference);
  var density = zero;
  var near_side = zero;
  var other = zero;
  for (var k = 0u; k < COMPONENTS; k++) {
    let log_pi = state[at + k * stride];
    let u = deviation(x, at, stride, k);
    let e = accurate_exp((log_pi - top.log_pi) + (-0.5 * u * u - top.square));
    let small = e * relative * (mills_ratio(abs(u)) * INV_SQRT_2PI);
    let large = accurate_exp((log_pi - scale.log_pi) - scale.square) - small; // infinite where it is not used
    let outside = (u >= zero) == far_right;
    density += e * state[at + (2u * COMPONENTS + k) * stride];
    near_side += select(large, small, outside);
    other += select(small, large, outside);
  }
  let negative = (far_left | (near_side <= other)) & !far_right;
  let q = select(other, near_side, far | negative);
  let log_q = accurate_log(q / select(near_side + other, vec4<f32>(1.0), far));
  let tail = normal_tail(log_q + (scale.log_pi + scale.square));
  let ratio = density * INV_SQRT_2PI * tail.mills / q;
  return Mixture(select(tail.t, -tail.t, negative), accurate_log(ratio) + difference, ratio * relative);
}

/// x with mixture_at(x) = z, by Newton's method between bounds; log_det is log dx/dz. Every component's u is at most z at the lower
/// bound and at least z at the upper one.
fn invert_mixture(z: vec4<f32>, at: u32, stride: u32) -> Moved {
  var low = vec4<f32>(0.0);
  var high = vec4<f32>(0.0);
  var x = vec4<f32>(0.0);
  for (var k = 0u; k < COMPONENTS; k++) {
    let exact = state[at + (COMPONENTS + k) * stride] + z / state[at + (2u * COMPONENTS + k) * stride];
    let held = select(exact, vec4<f32>(MOST), exact > vec4<f32>(MOST));
    let candidate = select(held, vec4<f32>(LEAST), held < vec4<f32>(LEAST));
    low = select(low, candidate, (candidate < low) | vec4<bool>(k == 0u));
    high = select(high, candidate, (candidate > high) | vec4<bool>(k == 0u));
    x += accurate_exp(state[at + k * stride]) * candidate;
  }
  let allowed = RESIDUAL * (1.0 + abs(z));
  var last = high - low;
  var log_slope = vec4<f32>(0.0);
  var done = vec4<bool>(false);
  for (var i = 0u; i < STEPS; i++) {
    let here = mixture_at(x, at, stride);
    log_slope = select(here.log_slope, log_slope, done);
    let residual = z - here.z;
    low = select(low, x, residual >= vec4<f32>(0.0));
    high = select(high, x, residual < vec4<f32>(0.0));
    let step = residual / here.slope;
    let newton = x + step;
    let inside = (newton >= low) & (newton <= high);
    let close = abs(residual) <= allowed;
    // A step that is not half the last one leaves the choice to halving.
    let next = select(select(0.5 * low + 0.5 * high, x, close), newton, inside & (close | (abs(step) <= 0.5 * last)));
    last = abs(next - x);
    let broken = is_nan4(here.z);
    let settled = done | close | broken | (last <= HALF_ULP * abs(next));
    x = select(select(next, here.z, broken), x, done);
    done = settled;
    if (all(done)) { break; }
  }
  return Moved(x, -log_slope);
}
