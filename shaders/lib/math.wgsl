// Elementary functions of vec4<f32> from +, −, ×, fma, rounding, bit operations and select: WGSL's own are too loose for log-dets
// (exp 3 + 2·|x| ULP, log 2^-21 absolute on [0.5, 2], sin and cos 2^-11 absolute, tanh 1e-5).
//
// Error    largest error in units in the last place (ULP) of the exact result, against float64, in an emulation of the same
//          operations: every float32 argument with a normal result, but a sample of those below 5e-10 in size and of those where
//          the function has settled at a limit; for sin_cos_2pi every integer. fma may be fused or not, hence two columns.
//          SwiftShader does not fuse; a sweep there in tests/kernels/elementary.test.ts stays within the first.
//          Mesa reassociates: on llvmpipe exp and log stay within 1.8, sigmoid and softplus within 2.1, the others within the columns (samples of 2^18 arguments).
//          Division is taken as correctly rounded; at the 2.5 ULP that WGSL allows it adds up to 1 to tanh and 2 to sigmoid.
//
//            function                 fma unfused   fused
//            accurate_exp                 1.01         1.04
//            accurate_expm1               1.66         1.53
//            accurate_log                 1.07         0.93
//            accurate_log1p               1.27         1.27
//            accurate_tanh                1.34         1.34
//            accurate_sigmoid             1.87         1.67
//            accurate_softplus            1.71         1.69
//            sin_cos_2pi              2.75         2.76      2e-7 absolute, relative next to zeros too
//
// Limits   NaN gives NaN; exp(∞) = expm1(∞) = log(∞) = log1p(∞) = softplus(∞) = ∞; exp(−∞) = sigmoid(−∞) = softplus(−∞) = 0;
//          expm1(−∞) = −1; tanh(±∞) = ±1; sigmoid(∞) = 1; log(0) = log1p(−1) = −∞; log and log1p of less are NaN. Results below
//          2^-126 are 0 in exp, sigmoid and softplus. Subnormal arguments of log are exact; elsewhere adapters may flush them.
//          WGSL lets a compiler assume that NaN and infinity do not occur, so they are recognised, and made, by integer operations.
//
// Method   Cody and Waite (1980), Software Manual for the Elementary Functions: the argument is reduced by exponent bits and a two-part
//          ln 2. That log1p splits at 3/4, and shares one polynomial with log, follows N. Juffa's float32 log1pf for CUDA.
//          Coefficients: minimax in the relative error of the whole function by linear programming, each rounded to float32 in
//          turn, lowest power first, and the rest fitted again.
//          No step needs a compensated sum: differences that a reassociating compiler could cancel stand inside an fma.

const LN2 = 0.693147182; // float32(ln 2), 2e-9 too large

/// The bits of |x|. As integers they sort as the numbers do, with NaN above infinity.
fn abs_bits(x: vec4<f32>) -> vec4<u32> {
  return bitcast<vec4<u32>>(x) & vec4<u32>(0x7fffffffu);
}

fn is_nan4(v: vec4<f32>) -> vec4<bool> {
  return abs_bits(v) > vec4<u32>(0x7f800000u);
}

/// x = n · ln 2 + r, |r| ≤ ln 2 / 2.
struct ExpReduced {
  n: vec4<f32>,
  r: vec4<f32>,
}

fn exp_reduce(x: vec4<f32>) -> ExpReduced {
  let n = floor(x * 1.44269504 + 0.5); // half the time of round on SwiftShader
  // 355/512 has 9 significant bits, so its product with n is exact whether or not fma is fused. A compiler may merge the two constants where it sees a sum of
  // two products with n, Mesa's within nested fma too, which costs 68 ULP at x = 72: hence the select, which changes nothing.
  let above = select(fma(n, vec4<f32>(-0.693359375), x), x, n == vec4<f32>(0.0));
  return ExpReduced(n, fma(n, vec4<f32>(2.12194440e-4), above));
}

/// n · 2^23 as an integer, to be added to the bits of a float: a factor 2^n. 1.5 · 2^23 + n holds n in its low bits; a conversion
/// to i32 would bring the clamp that WGSL asks for. The product is a shift, which SwiftShader does ten times slower by component.
fn exponent_bits(n: vec4<f32>) -> vec4<u32> {
  return bitcast<vec4<u32>>(n + 12582912.0) * 8388608u;
}

/// e^r − 1 for |r| ≤ ln 2 / 2; polynomial error 0.23 · 2^-24 relative.
fn expm1_polynomial(r: vec4<f32>) -> vec4<f32> {
  var q = fma(r, vec4<f32>(0.0013870224), vec4<f32>(0.008366259));
  q = fma(q, r, vec4<f32>(0.04166744));
  q = fma(q, r, vec4<f32>(0.16666546));
  q = fma(q, r, vec4<f32>(0.49999997));
  return fma(r * r, q, r);
}

/// e^x where the result is a finite normal number, −87.33654 ≤ x ≤ 88.72283; nothing else is checked.
fn exp_normal(x: vec4<f32>) -> vec4<f32> {
  let reduced = exp_reduce(x);
  return bitcast<vec4<f32>>(bitcast<vec4<u32>>(expm1_polynomial(reduced.r) + 1.0) + exponent_bits(reduced.n));
}

/// e^−|x|, held at 2^-126 for large |x|.
fn exp_minus_abs(x: vec4<f32>) -> vec4<f32> {
  return exp_normal(bitcast<vec4<f32>>(min(abs_bits(x), vec4<u32>(0x42aeac4fu)) | vec4<u32>(0x80000000u)));
}

/// x > 88.72283 (0x42b17217, where e^x passes the largest float), or NaN of either sign.
fn above_exp_range(x: vec4<f32>) -> vec4<bool> {
  return (bitcast<vec4<i32>>(x) > vec4<i32>(0x42b17217)) | (bitcast<vec4<u32>>(x) > vec4<u32>(0xff800000u));
}

/// x < −87.33654 (0xc2aeac4f, where e^x passes 2^-126), or NaN with the sign bit.
fn below_exp_range(x: vec4<f32>) -> vec4<bool> {
  return bitcast<vec4<u32>>(x) > vec4<u32>(0xc2aeac4fu);
}

/// Infinity for a positive number, NaN for NaN: among the bit patterns of both, those of NaN are the larger.
fn infinity_or_nan(x: vec4<f32>) -> vec4<f32> {
  return bitcast<vec4<f32>>(max(bitcast<vec4<u32>>(x), vec4<u32>(0x7f800000u)));
}

fn accurate_exp(x: vec4<f32>) -> vec4<f32> {
  let y = select(exp_normal(x), vec4<f32>(0.0), below_exp_range(x));
  return select(y, infinity_or_nan(x), above_exp_range(x));
}

/// d · e^x rounded about once: d + d (e^r − 1), then 2^n. The product d · accurate_exp(x) rounds three times, and in a flow that error
/// goes through all later layers. Outside ±87, and for an infinite d, the plain product decides between 0, infinity and NaN.
fn times_exp(d: vec4<f32>, x: vec4<f32>) -> vec4<f32> {
  let reduced = exp_reduce(x);
  let power = bitcast<vec4<f32>>(exponent_bits(reduced.n) + vec4<u32>(0x3f800000u));
  let y = fma(d, expm1_polynomial(reduced.r), d) * power;
  return select(d * accurate_exp(x), y, (abs(x) < vec4<f32>(87.0)) & (abs_bits(d) < vec4<u32>(0x7f800000u)));
}

fn accurate_expm1(x: vec4<f32>) -> vec4<f32> {
  let reduced = exp_reduce(bitcast<vec4<f32>>(min(bitcast<vec4<u32>>(x), vec4<u32>(0xc1a00000u)))); // x ≥ −20, whose result is −1
  // 2^n · q + 2^n − 1, halved on the way because 2^128 is no float.
  let q = expm1_polynomial(reduced.r);
  let half_power = bitcast<vec4<f32>>(exponent_bits(reduced.n) + vec4<u32>(0x3f000000u));
  // n = 0 apart: q / 2 would be flushed where q < 2^-125.
  let y = select(fma(q, half_power, half_power - 0.5) * 2.0, q, reduced.n == vec4<f32>(0.0));
  return select(y, infinity_or_nan(x), above_exp_range(x));
}

/// log(1 + f) for −1/4 ≤ f ≤ 1/2; polynomial error 0.08 · 2^-24 relative.
fn log1p_polynomial(f: vec4<f32>) -> vec4<f32> {
  var q = fma(f, vec4<f32>(-0.04515227), vec4<f32>(0.10472551));
  q = fma(q, f, vec4<f32>(-0.13163936));
  q = fma(q, f, vec4<f32>(0.1447763));
  q = fma(q, f, vec4<f32>(-0.16646878));
  q = fma(q, f, vec4<f32>(0.19990848));
  q = fma(q, f, vec4<f32>(-0.2500011));
  q = fma(q, f, vec4<f32>(0.3333345));
  q = fma(q, f, vec4<f32>(-0.5));
  return fma(f * f, q, f);
}

/// k · 2^23 for x = 2^k · m with 3/4 ≤ m < 3/2: what to subtract from the bits of x to get those of m.
fn log_exponent(x: vec4<f32>) -> vec4<u32> {
  return (bitcast<vec4<u32>>(x) - vec4<u32>(0x3f400000u)) & vec4<u32>(0xff800000u);
}

/// k · ln 2 + log(1 + f) from k · 2^23. One float for ln 2 is enough: the product's rounding is 0.5 ULP, its error 2e-9 relative, and
/// with k = ±1, where the terms cancel most, the product is exact.
fn log_combine(exponent: vec4<u32>, f: vec4<f32>) -> vec4<f32> {
  return fma(vec4<f32>(bitcast<vec4<i32>>(exponent)), vec4<f32>(LN2 / 8388608.0), log1p_polynomial(f));
}

fn accurate_log(x: vec4<f32>) -> vec4<f32> {
  let bits = bitcast<vec4<i32>>(x);
  // A subnormal number is its bits · 2^-149, and the integer converts exactly even where subnormal floats are flushed.
  let subnormal = bits < vec4<i32>(0x00800000);
  let scaled = select(x, vec4<f32>(bits), subnormal);
  let exponent = log_exponent(scaled);
  let offset = select(vec4<u32>(0u), vec4<u32>(0xb5800000u), subnormal); // −149 · 2^23
  let y = log_combine(exponent + offset, bitcast<vec4<f32>>(bitcast<vec4<u32>>(scaled) - exponent) - 1.0);
  let infinite = select(y, x, bits >= vec4<i32>(0x7f800000)); // or NaN
  let defined = select(infinite, bitcast<vec4<f32>>(bits | vec4<i32>(0x7fc00000)), bits < vec4<i32>(0)); // NaN
  return select(defined, bitcast<vec4<f32>>(abs_bits(x) | vec4<u32>(0xff800000u)), abs_bits(x) == vec4<u32>(0u)); // −∞
}

fn accurate_log1p(x: vec4<f32>) -> vec4<f32> {
  // 1 + x = 2^k · m gives k alone; f = m − 1 = x · 2^-k + (2^-k − 1) is computed from x itself, exactly where k ≤ 0. The scale is kept
  // as 4 · 2^-k: 2^-128 is subnormal.
  let exponent = log_exponent(x + 1.0);
  let scale = bitcast<vec4<f32>>(vec4<u32>(0x40800000u) - exponent);
  let f = bitcast<vec4<f32>>(bitcast<vec4<u32>>(x) - exponent) + fma(scale, vec4<f32>(0.25), vec4<f32>(-1.0));
  let y = log_combine(exponent, f);
  let bits = bitcast<vec4<u32>>(x);
  let infinite = select(y, x, bitcast<vec4<i32>>(x) >= vec4<i32>(0x7f800000)); // or NaN
  // For x ≤ −1: the bits of −1 become those of −∞, larger ones those of a NaN.
  let below = select(bits | vec4<u32>(0x7fc00000u), bits | vec4<u32>(0x40000000u), bits == vec4<u32>(0xbf800000u));
  return select(infinite, bitcast<vec4<f32>>(below), bits >= vec4<u32>(0xbf800000u));
}

/// (tanh a − a) / a³ from s = a², for a ≤ 5/8; tanh's polynomial error is 0.08 · 2^-24 relative.
fn tanh_polynomial(s: vec4<f32>) -> vec4<f32> {
  var q = fma(s, vec4<f32>(-0.0056922967), vec4<f32>(0.020628167));
  q = fma(q, s, vec4<f32>(-0.053736515));
  q = fma(q, s, vec4<f32>(0.13331406));
  return fma(q, s, vec4<f32>(-0.3333328));
}

fn accurate_tanh(x: vec4<f32>) -> vec4<f32> {
  let a = bitcast<vec4<f32>>(min(abs_bits(x), vec4<u32>(0x41200000u))); // at most 10, whose tanh is 1
  // Below 5/8 the polynomial; above it 1 − 2 / (e^2a + 1), where the quotient is under 0.45.
  let large = 1.0 - 2.0 / (exp_normal(a + a) + 1.0);
  let s = a * a;
  let y = select(large, fma(a * s, tanh_polynomial(s), a), a < vec4<f32>(0.625));
  let sign = bitcast<vec4<u32>>(x) & vec4<u32>(0x80000000u);
  return select(bitcast<vec4<f32>>(bitcast<vec4<u32>>(y) | sign), x, is_nan4(x));
}

fn accurate_sigmoid(x: vec4<f32>) -> vec4<f32> {
  let e = exp_minus_abs(x);
  let numerator = select(vec4<f32>(1.0), e, x < vec4<f32>(0.0));
  // n / (1 + e) as n − n · e / (1 + e): the quotient's error counts at most by half, and the rounding of 1 + e hardly (1.9 for 2.4 ULP).
  let y = fma(-numerator, e / (e + 1.0), numerator);
  return select(select(y, vec4<f32>(0.0), below_exp_range(x)), x, is_nan4(x));
}

/// log(1 + e^x) = max(x, 0) + log(1 + e^−|x|), no threshold.
fn accurate_softplus(x: vec4<f32>) -> vec4<f32> {
  let e = exp_minus_abs(x);
  let halve = e > vec4<f32>(0.5); // log(1 + e) = ln 2 + log(1 + (e − 1) / 2)
  let f = select(e, fma(e, vec4<f32>(0.5), vec4<f32>(-0.5)), halve);
  let log1p_e = select(vec4<f32>(0.0), vec4<f32>(LN2), halve) + log1p_polynomial(f);
  let y = bitcast<vec4<f32>>(max(bitcast<vec4<i32>>(x), vec4<i32>(0))) + log1p_e; // as integers, a third of max's time
  return select(select(y, vec4<f32>(0.0), below_exp_range(x)), x, is_nan4(x));
}

struct SinCos {
  sin: vec4<f32>,
  cos: vec4<f32>,
}

/// sin and cos of 2π · u / 2^32. The nearest quarter turn and the rest are exact integers.
fn sin_cos_2pi(u: vec4<u32>) -> SinCos {
  let quarter = (u + vec4<u32>(0x20000000u)) & vec4<u32>(0xc0000000u);
  let angle = vec4<f32>(bitcast<vec4<i32>>(u - quarter)) * 1.46291808e-9; // 2π / 2^32; |angle| ≤ π/4
  let s = angle * angle;
  var p = fma(s, vec4<f32>(-0.00019518286), vec4<f32>(0.008332189));
  p = fma(p, s, vec4<f32>(-0.16666655));
  let sine = bitcast<vec4<u32>>(fma(angle * s, p, angle));
  var q = fma(s, vec4<f32>(2.4432327e-5), vec4<f32>(-0.001388731));
  q = fma(q, s, vec4<f32>(0.041666646));
  q = fma(q, s, vec4<f32>(-0.5));
  let cosine = bitcast<vec4<u32>>(fma(q, s, vec4<f32>(1.0)));
  // Each quarter turn maps (sin, cos) to (cos, −sin): swap by the low bit; sin is negative in quarters 2 and 3, cos in 1 and 2.
  let odd = (quarter & vec4<u32>(0x40000000u)) != vec4<u32>(0u);
  let sin_sign = quarter & vec4<u32>(0x80000000u);
  let cos_sign = (quarter + vec4<u32>(0x40000000u)) & vec4<u32>(0x80000000u);
  return SinCos(
    bitcast<vec4<f32>>(select(sine, cosine, odd) ^ sin_sign),
    bitcast<vec4<f32>>(select(cosine, sine, odd) ^ cos_sign),
  );
}
