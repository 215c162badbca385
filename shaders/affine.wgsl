// Affine transformer on chosen features; the others pass.
//
//   y[f] = a x[f] + t                where slot[f] = j: t = parameters[j], a from u = parameters[SLOTS + j] (lib/affine.wgsl)
//   y[f] = x[f]                      where slot[f] = NONE
//   log_terms[j] = log|dy/dx|        nats; summed by row-sum
//
// PLACED: feature f of the result lies where slot[features + f] says, so that a permutation behind it needs no command of its own.
//
// Shapes   x, y tiled [features, rows]; parameters tiled [2 SLOTS, rows] (SLOTS without a scale); slot u32 [features], twice as many PLACED;
//          log_terms tiled [SLOTS, rows].
// Error    1e-6 relative to max(1, |y|) for x, t and u of unit size (tests/cases/affine.ts).
// Paper    Dinh, Sohl-Dickstein, Bengio 2017, arXiv:1605.08803, section 3.2; Papamakarios et al. 2017, arXiv:1705.07057.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/affine.wgsl"

const NONE = 0xffffffffu;

struct Params {
  features: u32,
  slots: u32,
  parameter_features: u32,
}

override HAS_LOG_DET: bool = true;
override PLACED: bool = false;

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> parameters: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> slot: array<u32>;
@group(0) @binding(5) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> log_terms: array<vec4<f32>>;

@compute @workgroup_size(16, 4)
fn affine(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.y;
  if (id.x * 4u >= rows() || f >= params.features) { return; }
  let tile = tiled(params.features, id.x);
  let at = tile + f * TILE4;
  var to = at;
  if (PLACED) { to = tile + slot[params.features + f] * TILE4; }
  let j = slot[f];
  if (j == NONE) {
    y[to] = x[at];
    return;
  }
  let p = tiled(params.parameter_features, id.x) + j * TILE4;
  var u = vec4<f32>(0.0);
  if (SCALE != SCALE_NONE) { u = parameters[p + params.slots * TILE4]; }
  let moved = move_affine(x[at], parameters[p], u);
  y[to] = moved.value;
  if (HAS_LOG_DET) { log_terms[tiled(params.slots, id.x) + j * TILE4] = moved.log_det; }
}
