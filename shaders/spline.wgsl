// Monotone spline on chosen features; the others pass.
//
//   y[f] = spline(x[f]; parameters of place j)   where slot[f] = j: parameter p = parameters[p SLOTS + j] (lib/spline.wgsl)
//   y[f] = x[f]                                  where slot[f] = NONE
//   log_terms[j] = log|dy/dx|                    nats; summed by row-sum
//
// Shapes      x, y tiled [features, rows]; parameters tiled [P SLOTS, rows], or f32 [P SLOTS, 4] of four equal numbers with SHARED (one spline
//             for all rows); slot u32 [features]; log_terms tiled [SLOTS, rows].
// Error       relative to max(1, |y|), parameters of deviation 1/2 and so bins down to 1/50 of the box: 5e-6 for values, 1e-4 for those of the
//             inverse, 3e-4 for log-dets in ten runs of random cases (tests/cases/spline.ts). A knot is known to a unit in the last place of the
//             box's end, which counts over the slope in the inverse and over the bin's width in the log-det.
// Derivative  Forward, with y = y0 + (y1 - y0) g(theta, a) and L = log_term = log s + l(theta, a), s = (y1 - y0) / (x1 - x0), a = d / s:
//               T = d y (y1 - y0) dg/dtheta + d L dl/dtheta          A = d y (y1 - y0) dg/da + d L dl/da          S = (d L - sum a A) / s
//               d x = T / (x1 - x0)                                  derivatives at the knots: A / s
//               d x0 = (S s - phi T) / (x1 - x0)                     d x1 = (-S s - theta T) / (x1 - x0)
//               d y0 = d y (1 - g) - S / (x1 - x0)                   d y1 = d y g + S / (x1 - x0)
//             then d fraction[k] = sum over the knots after bin k, and d u = (1 - K min) f (d fraction - sum f d fraction) through the softmax f.
//             UNDO, with adjoints d x of x and d M of M = -L: d y = (d x - d M dL/dx) / (dy/dx), and the parameters get what forward gives them
//             for the adjoints -d y and -d M. Made of a kernel of the same loop that writes P adjoints a feature.
// Paper       Durkan et al. 2019, arXiv:1906.04032 (rational-quadratic) and arXiv:1906.02145 (cubic); Mueller et al. 2019, arXiv:1808.03856 (linear,
//             quadratic); Gregory and Delbourgo 1982, doi:10.1093/imanum/2.2.123; Steffen 1990; Rezende et al. 2020, arXiv:2002.02428 (circular).

#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/spline.wgsl"

const NONE = 0xffffffffu;

struct Params {
  features: u32,
  slots: u32,
  parameter_features: u32,
}

override HAS_LOG_DET: bool = true;
override SHARED: bool = false;

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> parameters: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> slot: array<u32>;
@group(0) @binding(5) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> log_terms: array<vec4<f32>>;

fn parameter(at: u32) -> vec4<f32> { return parameters[at]; }

@compute @workgroup_size(16, 4)
fn spline(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.y;
  if (id.x * 4u >= rows() || f >= params.features) { return; }
  let at = tiled(params.features, id.x) + f * TILE4;
  let j = slot[f];
  if (j == NONE) {
    y[at] = x[at];
    return;
  }
  let p = select(tiled(params.parameter_features, id.x) + j * TILE4, j, SHARED);
  let moved = move_spline(x[at], p, params.slots * select(TILE4, 1u, SHARED));
  y[at] = moved.value;
  if (HAS_LOG_DET) { log_terms[tiled(params.slots, id.x) + j * TILE4] = moved.log_det; }
}
