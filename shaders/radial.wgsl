// Radial flow: moves points away from z0 or towards it, with the bound on β that keeps it invertible.
//
//   x = z + β̂ / (α + r) (z − z0)     r = |z − z0|,  β̂ = s − α,  s = softplus(beta) > 0
//   log|det dx/dz| = (D − 1) log((r + s) / (r + α)) + log(1 + β̂ α / (α + r)²)
//
// α is |alpha|, or softplus(alpha) with ALPHA_SOFTPLUS. UNDO: ρ = |x − z0| = r (r + s) / (r + α), so r is the positive root of
// r² + (s − ρ) r − ρ α = 0, taken in the form without cancellation, and z = x − β̂ / (r + s) (x − z0).
//
// Shapes      x, y tiled [D, rows]; parameters: a network's outputs (PER_ROW), z0 [D], alpha, beta, or a table: z0 [D], α, s and the
//             remainder of its rounding, β̂ and its remainder; log_det tiled [1, rows], nats, added to.
// Error       1e-6 relative to max(1, |y|), 1e-6 D of the log-det, for parameters of unit size, both ways (tests/cases/radial.ts).
// Derivative  seeds X of x and L of the log-det l, e = (z − z0) / r, h = β̂ / (α + r), h' = −β̂ / (α + r)²:
//             dz = (1 + h) X + (h' r e·X + L ∂l/∂r) e, dz0 = X − dz, dβ̂ = e·X r / (α + r) + L ∂l/∂β̂, dα = e·X r h' + L ∂l/∂α − dβ̂, ds = dβ̂.
//             UNDO, seeds Z and L: dx = J⁻¹ (Z − L ∂l/∂z), where J = (1 + h) I + h' r e eᵀ is symmetric, and the parameters get what
//             x = f(z) gives for X = −dx, −L. Kernels: row sums of products, elementwise.
// Paper       Rezende and Mohamed 2015, arXiv:1505.05770, equation 14; β̂ from appendix A.2.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/row-parameters.wgsl"
#import "lib/log-ratio.wgsl"
#import "lib/root.wgsl"

struct Params {
  features: u32,
  parameter_features: u32,
}

override ALPHA_SOFTPLUS: bool = false;
override UNDO: bool = false;
override HAS_LOG_DET: bool = true;

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> parameters: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> log_det: array<vec4<f32>>;

@compute @workgroup_size(64)
fn radial(@builtin(global_invocation_id) id: vec3<u32>) {
  let group = id.x;
  if (group * 4u >= rows()) { return; }
  let features = params.features;
  let base = tiled(features, group);
  var squares = vec4<f32>(0.0);
  for (var start = 0u; start < features; start += 8u) {
    var part = vec4<f32>(0.0);
    let end = min(start + 8u, features);
    for (var f = start; f < end; f++) {
      let difference = x[base + f * TILE4] - parameter(group, f);
      part = fma(difference, difference, part);
    }
    squares += part;
  }
  var alpha = parameter(group, features);
  var s = parameter(group, features + 1u);
  var beta: vec4<f32>;
  if (PER_ROW) {
    if (ALPHA_SOFTPLUS) { alpha = accurate_softplus(alpha); } else { alpha = abs(alpha); }
    alpha = select(alpha, vec4<f32>(1e-30), alpha < vec4<f32>(1e-30)); // at 0 the ball of radius s around z0 has no preimage
    s = accurate_softplus(s);
    beta = s - alpha;
  } else {
    s += parameters[features + 2u];
    beta = parameters[features + 3u] + parameters[features + 4u];
  }
  var r = root(squares);
  var change: vec4<f32>;
  if (UNDO) {
    let q = r - s;
    let discriminant = root(fma(q, q, 4.0 * r * alpha));
    r = select(2.0 * r * alpha / (discriminant - q), 0.5 * (q + discriminant), q >= vec4<f32>(0.0));
    change = -beta / (r + s);
  } else {
    change = beta / (r + alpha);
  }
  for (var f = 0u; f < features; f++) {
    let at = base + f * TILE4;
    let moved = fma(change, x[at] - parameter(group, f), x[at]);
    y[at] = select(moved, x[at], change == vec4<f32>(0.0)); // so far out that its square is infinite
  }
  if (HAS_LOG_DET) {
    let below = r + alpha;
    let h = beta / below;
    let g = alpha / below;
    var term = log_one_plus(h * g, r / below * (1.0 + g) + s / below * g);
    if (features > 1u) { term += f32(features - 1u) * log_one_plus(h, (r + s) / below); }
    log_det[group] += select(term, -term, vec4<bool>(UNDO));
  }
}
