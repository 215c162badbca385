// Vector–Jacobian product of a radial layer (radial.wgsl) whose parameters are a set a row.
//
// With r = |z − z0|, e = (z − z0) / r, p = r + α, h = β̂ / p, h' = −h / p, G = 1 + β̂ α / p², S the gradient by the output and ℓ that by the
// log-det l of x = f(z) (minus that by the kernel's with UNDO), l_r = (D − 1) h' / (1 + h) − 2 β̂ α / (p³ G):
//
//   x = f(z)    E = h S + (r h' e·S + ℓ l_r) e                                             e·X = e·S
//   UNDO        E = (−h S + (ℓ l_r − r h' (e·S + ℓ l_r) / G) e) / (1 + h)                  e·X = −(e·S + ℓ l_r) / G
//   both        d input = S + E     d z0 = −E
//               d β̂ = r e·X / p + ℓ ((D − 1) / (r + s) + α / (p² G))
//               d α = r h' e·X + ℓ ((D − 1) h' / (1 + h) + β̂ (r − α) / (p³ G)) − d β̂,   d s = d β̂, since β̂ = s − α
//
// then through α = |alpha| or softplus(alpha) and s = softplus(beta). At r = 0, where l has a kink, e counts as 0.
//
// Shapes      z, the input or with UNDO the output, d_y, d_x tiled [D, rows]; d_log_det tiled [1, rows]; parameters, d_parameters tiled
//             [D + 2, rows]: z0, alpha, beta.
// Error       1e-5 relative to max(1, |value|) for parameters of unit size and alpha from 0.2 on (tests/cases/radial-backward.ts).
// Paper       Rezende and Mohamed 2015, arXiv:1505.05770, equation 14; β̂ from appendix A.2.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/math.wgsl"
#import "lib/root.wgsl"

struct Params {
  features: u32,
}

override ALPHA_SOFTPLUS: bool = false;
override UNDO: bool = false;
override HAS_Y: bool = true; // the loss depends on the output
override HAS_LOG_DET: bool = true; // and on the log-det

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> z: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> parameters: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> d_y: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> d_log_det: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> d_x: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> d_parameters: array<vec4<f32>>;

fn seed(at: u32) -> vec4<f32> {
  if (HAS_Y) { return d_y[at]; }
  return vec4<f32>(0.0);
}

@compute @workgroup_size(64)
fn radial_backward(@builtin(global_invocation_id) id: vec3<u32>) {
  let group = id.x;
  if (group * 4u >= rows()) { return; }
  let features = params.features;
  let zero = vec4<f32>(0.0);
  let base = tiled(features, group);
  let p_at = tiled(features + 2u, group);
  var squares = zero;
  var inner = zero;
  for (var start = 0u; start < features; start += 8u) {
    var part = zero;
    var part_inner = zero;
    for (var f = start; f < min(start + 8u, features); f++) {
      let difference = z[base + f * TILE4] - parameters[p_at + f * TILE4];
      part = fma(difference, difference, part);
      part_inner = fma(difference, seed(base + f * TILE4), part_inner);
    }
    squares += part;
    inner += part_inner;
  }
  let raw_alpha = parameters[p_at + features * TILE4];
  let raw_beta = parameters[p_at + (features + 1u) * TILE4];
  var alpha = abs(raw_alpha);
  var alpha_slope = select(vec4<f32>(1.0), vec4<f32>(-1.0), raw_alpha < zero);
  if (ALPHA_SOFTPLUS) {
    alpha = accurate_softplus(raw_alpha);
    alpha_slope = accurate_sigmoid(raw_alpha);
  }
  alpha = select(alpha, vec4<f32>(1e-30), alpha < vec4<f32>(1e-30));
  let s = accurate_softplus(raw_beta);
  let beta = s - alpha;
  let r = root(squares);
  let over = select(1.0 / r, zero, r == zero);
  let below = r + alpha;
  let h = beta / below;
  let fall = -h / below; // h'
  let g = alpha / below;
  let one_h = (r + s) / below;
  let whole = r / below * (1.0 + g) + s / below * g;
  let others = f32(features - 1u);
  let bend = others * fall / one_h + 2.0 * fall * g / whole; // ∂l/∂r
  var by_l = zero;
  if (HAS_LOG_DET) { by_l = d_log_det[group]; }
  if (UNDO) { by_l = -by_l; }
  var along = inner * over; // e·S, then e·X
  var plain = h;
  var radially = r * fall * along + by_l * bend;
  if (UNDO) {
    let all = along + by_l * bend;
    plain = -h / one_h;
    radially = (by_l * bend - r * fall * all / whole) / one_h;
    along = -all / whole;
  }
  radially *= over;
  for (var f = 0u; f < features; f++) {
    let at = base + f * TILE4;
    let given = seed(at);
    let change = plain * given + radially * (z[at] - parameters[p_at + f * TILE4]);
    d_x[at] = given + change;
    d_parameters[p_at + f * TILE4] = -change;
  }
  let by_beta = r / below * along + by_l * (others / (r + s) + g / below / whole);
  let by_alpha = r * fall * along + by_l * (others * fall / one_h + h * ((r - alpha) / below) / below / whole) - by_beta;
  d_parameters[p_at + features * TILE4] = by_alpha * alpha_slope;
  d_parameters[p_at + (features + 1u) * TILE4] = by_beta * accurate_sigmoid(raw_beta);
}
