// Vector-Jacobian product of the affine transformer (affine.wgsl), all features at once.
//
//   y = a x + t, l = log a           d x = a d y         d t = d y           d log a =  a x d y + d l
//   y = (x - t) / a, l = -log a      d x = d y / a       d t = -d y / a      d log a = -y d y - d l       (UNDO)
//   d u = d log a  (d log a / d u)                       a feature without a slot: d x = d y
//
// Interpolated (MIX = m < 1), with l the log of f's factor, p = d x = e^(log|dy/dx|) d y and q = m e^l / (1 - m + m e^l):
//
//   f multiplies   d t = m d y     d l =  q (x p + d l')                inverted (BACK)   d t = -m p      d l = -q (y d y + d l')
//   f divides      d t = -q p      d l =  q ((x - t) p + d l')                            d t = q d y     d l = q (t p - y d y - d l')
//
// where d l' is the gradient by the log-det and d log a = d l, or -d l where f divides.
//
// Shapes      x, d_y, d_x tiled [features, rows]; parameters, d_parameters tiled [parameter_features, rows]; slot u32 [features], as in
//             affine.wgsl, with places of d_y where PLACED; d_log_terms tiled [slots, rows], or one number in its place.
// Error       2e-6 relative to max(1, |value|) (tests/cases/affine-backward.ts).
// Derivative  not yet: of second order in a loss only where a transformer lies inside a trace.
// Paper       Papamakarios et al. 2017, arXiv:1705.07057; Dinh et al. 2017, arXiv:1605.08803.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/affine.wgsl"
#import "lib/affine-backward.wgsl"

const PASSES = 0xffffffffu;

struct Params {
  features: u32,
  slots: u32,
  parameter_features: u32,
  log_gradient: f32, // the gradient by each log-det term without HAS_LOG_DET: of a mean it is one number, else 0
}

override HAS_Y: bool = true; // the loss depends on y
override HAS_LOG_DET: bool = true; // d_log_terms holds the gradient by the log-det terms
override PLACED: bool = false; // feature f of d_y lies where slot[features + f] says

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> parameters: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> slot: array<u32>;
@group(0) @binding(5) var<storage, read> d_y: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> d_log_terms: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> d_x: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> d_parameters: array<vec4<f32>>;

@compute @workgroup_size(16, 4)
fn affine_backward(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.y;
  if (id.x * 4u >= rows() || f >= params.features) { return; }
  let tile = tiled(params.features, id.x);
  let at = tile + f * TILE4;
  var of_y = f;
  if (PLACED) { of_y = slot[params.features + f]; }
  var gradient = vec4<f32>(0.0);
  if (HAS_Y) { gradient = d_y[tile + of_y * TILE4]; }
  let j = slot[f];
  if (j == PASSES) {
    d_x[at] = gradient;
    return;
  }
  let p = tiled(params.parameter_features, id.x) + j * TILE4;
  var u = vec4<f32>(0.0);
  if (SCALE != SCALE_NONE) { u = parameters[p + params.slots * TILE4]; }
  var d_log = vec4<f32>(params.log_gradient);
  if (HAS_LOG_DET) { d_log = d_log_terms[tiled(params.slots, id.x) + j * TILE4]; }
  let back = turn_back(x[at], parameters[p], u, gradient, d_log);
  d_x[at] = back.x;
  d_parameters[p] = back.shift;
  if (SCALE != SCALE_NONE) { d_parameters[p + params.slots * TILE4] = back.scale; }
}
