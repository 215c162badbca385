// The normal distribution in its tails, where 1 - Phi(t) underflows: everything is kept as a logarithm or a ratio.
//
//   mills_ratio(t)   R(t) = (1 - Phi(t)) / phi(t) for t >= 0; 1 - Phi(t) = phi(t) R(t), and the hazard phi / (1 - Phi) is 1 / R
//   normal_tail(L)   the t >= 0 with log(1 - Phi(t)) = L, for L <= -log 2, and R(t): the quantile function of a log-probability
//
// Error    mills_ratio 5e-7 relative for every t from 0 to infinity; normal_tail 6e-7 of 1 + t, R there 1e-6, for L from -log 2 to -1e36
//          (tests/kernels/normal.test.ts).
// Limits   NaN gives NaN. R(infinity) = 0. Below L = -1e38 normal_tail ends in NaN.
// Method   R(t) = y g(y), y = 1 / (t + 4): with k = 1 - 8 y in [-1, 1], g is a polynomial of degree 9 in k, minimax in the relative error
//          to 4e-8. That map of the half line is Shepherd and Laframboise's (1981, Math. Comp. 36, 249) for exp(x^2) erfc(x).
//          normal_tail starts from t = w - (a0 + a1 w) / (1 + b1 w + b2 w^2), w = sqrt(-2 L), fitted to 2.2e-4 max(1, t) on the whole
//          line, and makes one Newton step on log(1 - Phi), whose slope is -1 / R: it leaves 3e-8.
#import "lib/math.wgsl"

const INV_SQRT_2PI = 0.3989423;

fn mills_ratio(t: vec4<f32>) -> vec4<f32> {
  let y = 1.0 / (t + 4.0);
  let k = fma(y, vec4<f32>(-8.0), vec4<f32>(1.0));
  var q = fma(k, vec4<f32>(-0.00039288920), vec4<f32>(0.00032345386));
  q = fma(q, k, vec4<f32>(0.0039167372));
  q = fma(q, k, vec4<f32>(-0.0087120570));
  q = fma(q, k, vec4<f32>(-0.018828224));
  q = fma(q, k, vec4<f32>(0.15138771));
  q = fma(q, k, vec4<f32>(-0.46755365));
  q = fma(q, k, vec4<f32>(0.97041011));
  q = fma(q, k, vec4<f32>(-1.5237703));
  q = fma(q, k, vec4<f32>(1.8932190));
  return q * y;
}

struct Tail {
  t: vec4<f32>,
  mills: vec4<f32>,
}

fn normal_tail(log_probability: vec4<f32>) -> Tail {
  let w = sqrt(-2.0 * log_probability); // loose, and so is the start
  let start = w - fma(w, vec4<f32>(0.65460371), vec4<f32>(2.5067228)) / fma(w, fma(w, vec4<f32>(0.13212547), vec4<f32>(1.3597336)), vec4<f32>(1.0));
  let mills = mills_ratio(start);
  let t = fma(accurate_log(mills * INV_SQRT_2PI) - fma(0.5 * start, start, log_probability), mills, start);
  return Tail(t, mills_ratio(t));
}
