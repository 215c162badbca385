// Maps of the line to an interval or a half-line, feature by feature; UNDO goes back.
//
//   kind                       y                              log|dy/dx|
//   0 identity                 x                              0
//   1 sigmoid, (low, high)     low + w sigmoid(k x)           log w + log k − |k x| − 2 log(1 + e^−|k x|),  w = high − low
//   2 tanh, (−1, 1)            tanh x                         2 (log 2 − |x| − log(1 + e^−2|x|))
//   3 softplus, (low, ∞)       low + k softplus(x)            −log(1 + e^−x)           k = ±1: a half-line upwards or downwards
//   4 exp, (low, ∞)            low + k e^x                    x
//
// UNDO of 1 takes the distances to both ends, u = (y − low) / w and v = (high − y) / w: x = (log u − log v) / k and
// log|dx/dy| = −log w − log k − log u − log v; u and v below eps are first set to eps. Of 3, with d = k (y − low): x = d + log(1 − e^−d), log|dx/dy| = −log(1 − e^−d).
// At an end x is ±∞ and log|dx/dy| is ∞; beyond it both are NaN.
//
// Shapes      x, y, log_terms tiled [D, rows]; table f32 [6, D]: kind, low, high, k, log w, log k. log_terms in nats, summed by row-sum.
// Error       6e-7 relative to max(1, |y|) and max(1, |log|dy/dx||) (tests/cases/bounded.ts).
// Derivative  dx = y' dy + L (log y')': 1: k (1 − 2 sigmoid(k x)); 2: −2 tanh x; 3: sigmoid(−x); 4: 1. UNDO: (dy − L (log y')') / y'. Elementwise.
// Paper       Dinh, Sohl-Dickstein, Bengio 2017, arXiv:1605.08803, section 4.1 (logit); Kucukelbir et al. 2017, arXiv:1603.00788, section 2.3.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/math.wgsl"

struct Params {
  features: u32,
  eps: f32,
}

override UNDO: bool = false;
override HAS_LOG_DET: bool = true;

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> table: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> log_terms: array<vec4<f32>>;

struct Mapped {
  value: vec4<f32>,
  log_det: vec4<f32>,
}

fn bound(kind: u32, x: vec4<f32>, low: f32, high: f32, k: f32, log_w: f32, log_k: f32) -> Mapped {
  switch kind {
    case 1u: {
      let a = k * x;
      // From the nearer end: what is left to it keeps its digits.
      let part = (high - low) * accurate_sigmoid(-abs(a));
      let term = log_w + log_k - (abs(a) + 2.0 * accurate_softplus(-abs(a)));
      return Mapped(select(low + part, high - part, a > vec4<f32>(0.0)), term);
    }
    case 2u: {
      let a = abs(x);
      return Mapped(accurate_tanh(x), 2.0 * ((LN2 - a) - accurate_softplus(-2.0 * a)));
    }
    case 3u: { return Mapped(low + k * accurate_softplus(x), -accurate_softplus(-x)); }
    case 4u: { return Mapped(low + k * accurate_exp(x), x); }
    default: { return Mapped(x, select(vec4<f32>(0.0), x, is_nan4(x))); }
  }
}

fn unbound(kind: u32, y: vec4<f32>, low: f32, high: f32, k: f32, log_w: f32, log_k: f32) -> Mapped {
  switch kind {
    case 1u: {
      let w = high - low;
      let least = vec4<f32>(params.eps);
      let most = vec4<f32>(1.0 - params.eps);
      var u = (y - low) / w;
      var v = (high - y) / w;
      let at_low = (u >= vec4<f32>(0.0)) & (u < least);
      let at_high = (v >= vec4<f32>(0.0)) & (v < least);
      u = select(select(u, least, at_low), most, at_high);
      v = select(select(v, least, at_high), most, at_low);
      let log_u = accurate_log(u);
      let log_v = accurate_log(v);
      return Mapped((log_u - log_v) / k, -(log_w + log_k) - (log_u + log_v));
    }
    case 2u: {
      let above = accurate_log1p(y);
      let below = accurate_log1p(-y);
      return Mapped(0.5 * (above - below), -(above + below));
    }
    case 3u: {
      let d = k * (y - low);
      let rest = accurate_log(-accurate_expm1(-d));
      return Mapped(d + rest, -rest);
    }
    case 4u: {
      let value = accurate_log(k * (y - low));
      return Mapped(value, -value);
    }
    default: { return Mapped(y, select(vec4<f32>(0.0), y, is_nan4(y))); }
  }
}

@compute @workgroup_size(16, 4)
fn bounded(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.y;
  let features = params.features;
  if (id.x * 4u >= rows() || f >= features) { return; }
  let at = tiled(features, id.x) + f * TILE4;
  let kind = u32(table[f]);
  let low = table[features + f];
  let high = table[2u * features + f];
  let k = table[3u * features + f];
  let log_w = table[4u * features + f];
  let log_k = table[5u * features + f];
  var mapped: Mapped;
  if (UNDO) { mapped = unbound(kind, x[at], low, high, k, log_w, log_k); } else { mapped = bound(kind, x[at], low, high, k, log_w, log_k); }
  y[at] = mapped.value;
  if (HAS_LOG_DET) { log_terms[at] = mapped.log_det; }
}
