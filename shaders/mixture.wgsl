// Mixture-of-Gaussians transformer on chosen features; the others pass.
//
//   y[f] = Phi^-1(F(x[f])) or, INVERSE, the x with Phi^-1(F(x)) = x[f]     slot[f] = j: 3 COMPONENTS parameters (lib/mixture.wgsl)
//   y[f] = x[f]                      where slot[f] = NONE
//   log_terms[j] = log|dy/dx|        nats; summed by row-sum
//
// Shapes   x, y tiled [features, rows]; state tiled [3 COMPONENTS SLOTS, rows] = logits, means, unconstrained deviations, parameter p of slot
//          j in p SLOTS + j, left as log pi, mu, 1 / sigma; slot u32 [features]; log_terms tiled [SLOTS, rows].
// Error    6e-6 of max(1, |value|) for z and log-det, 1e-5 for |x| up to 1e5; the inverse 2e-5 where components overlap: between
//          narrow ones far apart dz/dx is small, and what z can tell of x with it (tests/cases/mixture.ts).
// Derivative   With n[k] = pi[k] phi(u[k]) / sigma[k], r[k] = n[k] / p and h = phi(z):
//          dz/dx = p / h, dz/dmu[k] = -n[k] / h, dz/dsigma[k] = -n[k] u[k] / h, dz/dlogit[k] = pi[k] (Phi(u[k]) - F) / h;
//          for l = log p - log h, dl/dv = d(log p)/dv + z dz/dv with d(log p)/dx = -sum r[k] u[k] / sigma[k], d/dmu[k] = r[k] u[k] / sigma[k],
//          d/dsigma[k] = r[k] (u[k]^2 - 1) / sigma[k], d/dlogit[k] = r[k] - pi[k]; dsigma/ds = sigmoid(s). The vector-Jacobian product of
//          (gz, gl) is elementwise in these; the inverse's is that of z(x, parameters) = const: gx / (dz/dx), and minus that times dz/dparameter.
// Paper    Papamakarios et al. 2017, arXiv:1705.07057, section 4.1 (MADE MoG, MAF MoG); Germain et al. 2015, arXiv:1502.03509.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/mixture.wgsl"

const NONE = 0xffffffffu;

struct Params {
  features: u32,
  slots: u32,
}

override INVERSE: bool = false;
override HAS_LOG_DET: bool = true;

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> state: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> slot: array<u32>;
@group(0) @binding(5) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> log_terms: array<vec4<f32>>;

@compute @workgroup_size(16, 4)
fn mixture(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.y;
  if (id.x * 4u >= rows() || f >= params.features) { return; }
  let at = tiled(params.features, id.x) + f * TILE4;
  let j = slot[f];
  if (j == NONE) {
    y[at] = x[at];
    return;
  }
  let p = tiled(3u * COMPONENTS * params.slots, id.x) + j * TILE4;
  let stride = params.slots * TILE4;
  normalise(p, stride);
  var moved: Moved;
  if (INVERSE) {
    moved = invert_mixture(x[at], p, stride);
  } else {
    let there = mixture_at(x[at], p, stride);
    moved = Moved(select(there.z, there.z * MOST, abs(there.z) > vec4<f32>(0.9 * FARTHEST)), there.log_slope);
  }
  y[at] = moved.value;
  if (HAS_LOG_DET) { log_terms[tiled(params.slots, id.x) + j * TILE4] = moved.log_det; }
}
