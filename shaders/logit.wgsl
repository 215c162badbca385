// Logit with a margin: from the unit interval to the line, feature by feature, and back.
//
//   z = log(y / (1 - y)),  y = alpha + (1 - 2 alpha) x           term = log dz/dx = log(1 - 2 alpha) - log y - log(1 - y)
//   x = (sigmoid(z) - alpha) / (1 - 2 alpha)                     UNDO; term = log dx/dz = -softplus(z) - softplus(-z) - log(1 - 2 alpha)
//
// An x whose y is not inside (0, 1) has density 0: the term is -infinity, and z is that of the nearest float inside. Going back, y is
// kept inside (0, 1) likewise, so a draw never lands on a point of density 0.
//
// Shapes      x, y tiled [features, rows]; log_terms tiled [features, rows], nats, summed by row-sum.
// Error       4e-7 relative to max(1, |value|) (tests/cases/logit.ts). Near y = 1 float32 holds y to 2^-24, so a round trip from z loses
//             e^z 2^-24 absolutely; near y = 0 nothing.
// Derivative  dz/dx = (1 - 2 alpha) / (y (1 - y)), its inverse with UNDO; d term = (2 y - 1) dz for the forward, (1 - 2 sigmoid(z)) dz
//             for UNDO.
// Paper       Dinh et al. 2017, arXiv:1605.08803, section 4.1 (alpha 0.05 for images); Papamakarios et al. 2017, arXiv:1705.07057.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/math.wgsl"

struct Params {
  features: u32,
  alpha: f32,
  log_range: f32, // log(1 - 2 alpha)
}

const BELOW_ONE = 0.99999994; // 1 - 2^-24
const ABOVE_ZERO = 1.17549435e-38; // 2^-126

override UNDO: bool = false;
override HAS_LOG_DET: bool = true;

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> log_terms: array<vec4<f32>>;

/// The nearest float inside (0, 1). A NaN stays.
fn inside(v: vec4<f32>) -> vec4<f32> {
  let below = select(v, vec4<f32>(BELOW_ONE), v > vec4<f32>(BELOW_ONE));
  return select(below, vec4<f32>(ABOVE_ZERO), below < vec4<f32>(ABOVE_ZERO));
}

@compute @workgroup_size(16, 4)
fn logit(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x * 4u >= rows() || id.y >= params.features) { return; }
  let at = tiled(params.features, id.x) + id.y * TILE4;
  let v = x[at];
  if (UNDO) {
    y[at] = (inside(accurate_sigmoid(v)) - params.alpha) / (1.0 - 2.0 * params.alpha);
    if (HAS_LOG_DET) { log_terms[at] = -accurate_softplus(v) - accurate_softplus(-v) - params.log_range; }
    return;
  }
  let unit = fma(v, vec4<f32>(1.0 - 2.0 * params.alpha), vec4<f32>(params.alpha));
  let held = inside(unit);
  let log_y = accurate_log(held);
  let log_rest = accurate_log1p(-held);
  y[at] = log_y - log_rest;
  if (HAS_LOG_DET) {
    let outside = (unit <= vec4<f32>(0.0)) | (unit >= vec4<f32>(1.0));
    log_terms[at] = params.log_range - log_y - log_rest + accurate_log(select(vec4<f32>(1.0), vec4<f32>(0.0), outside));
  }
}
