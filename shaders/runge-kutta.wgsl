// Explicit Runge-Kutta steps of dy/dt = f(t, y): every weighted sum of slopes, and the error estimate of an embedded pair.
//
//   advance      y[f] = x[f] + sum over i < TERMS of coefficients[i] k[i STRIDE + f]         coefficients = step times a tableau row
//                With no terms it copies: features into a wider tensor, or out of one.
//   step_error   e[f] = sum over i of coefficients[i] k[i F + f]         s[f] = ATOL + RTOL max(|y[f]|, |y_next[f]|)
//                error[row] = 1/F sum over f of (e[f] / s[f])^2;   -1 where y or k[0] is not finite (the row is lost already),
//                -2 where y_next or the sum is not (this step is too long for it)
//
// The slopes of all stages lie in one tensor, stage i from feature i STRIDE on, so that one kernel serves every tableau. A sum runs over
// the stages in order and x is added last: the small terms are summed among themselves.
//
// Shapes      x, y, k tiled, each with its own feature count and offset; y_next tiled [F, rows], k [STAGES F, rows]; coefficients f32
//             [TERMS]; error tiled [1, rows].
// Error       (1 + TERMS / 2) units in the last place of |x| + sum |c k|; step_error 2e-6 relative (tests/cases/runge-kutta.ts).
// Derivative  advance: d x = d y; d k[i STRIDE + f] = coefficients[i] d y[f] (advance with the transposed tableau); d coefficients[i] = sum
//             over rows and f of k[i STRIDE + f] d y[f]. step_error steers steps and has none.
// Paper       Hairer, Norsett, Wanner 1993, Solving Ordinary Differential Equations I, II.4; Dormand and Prince 1980,
//             doi:10.1016/0771-050X(80)90013-3.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"

struct Params {
  features: u32,
  terms: u32,
  x_features: u32,
  x_at: u32,
  k_features: u32,
  k_stride: u32,
  y_features: u32,
  y_at: u32,
  rtol: f32, // step_error
  atol: f32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> k: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> coefficients: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> y_next: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> error: array<vec4<f32>>;

fn weighted(at: u32, stride: u32) -> vec4<f32> {
  var sum = vec4<f32>(0.0);
  for (var i = 0u; i < params.terms; i++) { sum = fma(vec4<f32>(coefficients[i]), k[at + i * stride], sum); }
  return sum;
}

@compute @workgroup_size(16, 4)
fn advance(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.y;
  if (id.x * 4u >= rows() || f >= params.features) { return; }
  var value = x[tiled(params.x_features, id.x) + (params.x_at + f) * TILE4];
  if (params.terms > 0u) { value += weighted(tiled(params.k_features, id.x) + f * TILE4, params.k_stride * TILE4); }
  y[tiled(params.y_features, id.x) + (params.y_at + f) * TILE4] = value;
}

/// By bits: WGSL lets a compiler assume that infinity and NaN do not occur.
fn unbounded(v: vec4<f32>) -> vec4<bool> {
  return (bitcast<vec4<u32>>(v) & vec4<u32>(0x7f800000u)) == vec4<u32>(0x7f800000u);
}

@compute @workgroup_size(64)
fn step_error(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x * 4u >= rows()) { return; }
  let base = tiled(params.features, id.x);
  let slopes = tiled(params.k_features, id.x);
  var total = vec4<f32>(0.0);
  var lost = vec4<bool>(false);
  var failed = vec4<bool>(false);
  for (var f = 0u; f < params.features; f++) {
    let from_ = x[base + f * TILE4];
    let to = y_next[base + f * TILE4];
    lost |= unbounded(from_) | unbounded(k[slopes + f * TILE4]);
    failed |= unbounded(to);
    let size = select(abs(from_), abs(to), abs(to) > abs(from_));
    let ratio = weighted(slopes + f * TILE4, params.k_stride * TILE4) / (params.atol + params.rtol * size);
    total += ratio * ratio;
  }
  total /= f32(params.features);
  error[id.x] = select(select(total, vec4<f32>(-2.0), failed | unbounded(total)), vec4<f32>(-1.0), lost);
}
