// What a diagonal affine map z = (x − center) · e^s + shift needs where its constants are learned.
//
//   diagonal_constants           s = sign · g(raw) + offset;  constants [4, D] of diagonal-affine.wgsl, and log_det = Σ s
//   diagonal_constants_backward  t = d factor · e^s + d log_det:  d raw += sign · g'(raw) · t;  d offset += t;  d center, d shift pass
//   diagonal_gradient            d center += −e^s Σ d z;  d factor += Σ d z (x − center);  d shift += Σ d z      over rows
//   diagonal_entries             entries[i] = on[i] e^g(raw[i]) where on[i] is 1 or -1, raw[i] where it is 0: a triangle's packed weights
//   diagonal_entries_backward    d raw[i] += on[i] g'(raw[i]) e^g(raw[i]) d entries[i], or d entries[i]
//   diagonal_product             constants as above with the factor raw · offset, of either sign: a batch norm inside a net
//   diagonal_product_backward    d raw += offset d factor;  d offset += raw d factor;  d center, d shift pass
//
// g by MAP: 0 raw; 1 log(softplus(raw) + setting), batch norm's gain; 2 raw / (1 + |raw / setting|), zuko's soft clip. The factor's two parts
// count as one number: its gradient lies at the first.
//
// Shapes      center, raw, offset, shift f32 [D]; constants, d_constants f32 [4, D]; log_det, d_log_det f32 [1]; source (x), d_z tiled [D, rows].
// Error       constants 4 units in the last place of e^s; sums 16 + tiles units of Σ |terms| (tests/cases/diagonal-backward.ts).

#import "lib/rows-backward.wgsl"
#import "lib/layout.wgsl"
#import "lib/math.wgsl"

struct Params {
  features: u32,
  sign: f32,
  setting: f32,
}

override MAP: u32 = 0u;

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> center: array<f32>;
@group(0) @binding(3) var<storage, read> raw: array<f32>;
@group(0) @binding(4) var<storage, read> offset: array<f32>;
@group(0) @binding(5) var<storage, read> shift: array<f32>;
@group(0) @binding(6) var<storage, read_write> constants: array<f32>;
@group(0) @binding(7) var<storage, read_write> log_det: array<f32>;
@group(0) @binding(8) var<storage, read> made: array<f32>;
@group(0) @binding(9) var<storage, read> d_constants: array<f32>;
@group(0) @binding(10) var<storage, read> d_log_det: array<f32>;
@group(0) @binding(11) var<storage, read_write> d_center: array<f32>;
@group(0) @binding(12) var<storage, read_write> d_raw: array<f32>;
@group(0) @binding(13) var<storage, read_write> d_shift: array<f32>;
@group(0) @binding(20) var<storage, read_write> d_offset: array<f32>;
@group(0) @binding(14) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(15) var<storage, read> d_z: array<vec4<f32>>;
@group(0) @binding(16) var<storage, read_write> gradient: array<f32>;

@group(0) @binding(17) var<storage, read> on: array<f32>;
@group(0) @binding(18) var<storage, read_write> entries: array<f32>;
@group(0) @binding(19) var<storage, read> d_entries: array<f32>;

fn log_gain(u: f32) -> f32 {
  if (MAP == 1u) { return accurate_log(accurate_softplus(vec4<f32>(u)) + params.setting).x; }
  if (MAP == 2u) { return u / (1.0 + abs(u / params.setting)); }
  return u;
}

fn slope(u: f32) -> f32 {
  if (MAP == 1u) { return (accurate_sigmoid(vec4<f32>(u)) / (accurate_softplus(vec4<f32>(u)) + params.setting)).x; }
  if (MAP == 2u) {
    let below = 1.0 + abs(u / params.setting);
    return 1.0 / (below * below);
  }
  return 1.0;
}

fn log_scale(f: u32) -> f32 { return params.sign * log_gain(raw[f]) + offset[f]; }

var<workgroup> sums: array<f32, 64>;

@compute @workgroup_size(64)
fn diagonal_constants(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let f = wg.x * 64u + lane;
  let features = params.features;
  if (f < features) {
    let factor = accurate_exp(vec4<f32>(log_scale(f))).x;
    let leading = bitcast<f32>(bitcast<u32>(factor) & 0xfffff000u);
    constants[f] = center[f];
    constants[features + f] = leading;
    constants[2u * features + f] = factor - leading;
    constants[3u * features + f] = shift[f];
  }
  if (wg.x > 0u) { return; }
  var part = 0.0;
  for (var k = lane; k < features; k += 64u) { part += log_scale(k); }
  sums[lane] = part;
  workgroupBarrier();
  if (lane > 0u) { return; }
  var sum = 0.0;
  for (var k = 0u; k < 64u; k++) { sum += sums[k]; }
  log_det[0] = sum;
}

@compute @workgroup_size(64)
fn diagonal_constants_backward(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.x;
  let features = params.features;
  if (f >= features) { return; }
  let factor = made[features + f] + made[2u * features + f];
  d_center[f] += d_constants[f];
  let d_log_scale = d_constants[features + f] * factor + d_log_det[0];
  d_raw[f] += params.sign * slope(raw[f]) * d_log_scale;
  d_offset[f] += d_log_scale;
  d_shift[f] += d_constants[3u * features + f];
}

@compute @workgroup_size(64)
fn diagonal_entries(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x;
  if (i >= params.features) { return; }
  entries[i] = raw[i];
  if (on[i] == 1.0) { entries[i] = accurate_exp(vec4<f32>(log_gain(raw[i]))).x; }
}

@compute @workgroup_size(64)
fn diagonal_entries_backward(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x;
  if (i >= params.features) { return; }
  var rise = 1.0;
  if (on[i] == 1.0) { rise = slope(raw[i]) * accurate_exp(vec4<f32>(log_gain(raw[i]))).x; }
  d_raw[i] += rise * d_entries[i];
}

@compute @workgroup_size(64)
fn diagonal_gradient(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.x;
  let features = params.features;
  if (f >= features) { return; }
  let groups = (rows() + 3u) / 4u;
  let zero = vec4<f32>(0.0);
  var plain = 0.0;
  var moment = 0.0;
  for (var first = 0u; first < groups; first += TILE4) {
    let end = min(first + TILE4, groups);
    var at = tiled(features, first) + f * TILE4;
    var s = zero;
    var t = zero;
    for (var group = first; group < end; group++) {
      let here = present(group);
      let d = select(zero, d_z[at], here);
      s += d;
      t = fma(d, select(zero, source[at] - made[f], here), t);
      at++;
    }
    plain += dot(s, vec4<f32>(1.0));
    moment += dot(t, vec4<f32>(1.0));
  }
  gradient[f] -= (made[features + f] + made[2u * features + f]) * plain;
  gradient[features + f] += moment;
  gradient[3u * features + f] += plain;
}

@compute @workgroup_size(64)
fn diagonal_product(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.x;
  let features = params.features;
  if (f >= features) { return; }
  let factor = raw[f] * offset[f];
  let leading = bitcast<f32>(bitcast<u32>(factor) & 0xfffff000u);
  constants[f] = center[f];
  constants[features + f] = leading;
  constants[2u * features + f] = factor - leading;
  constants[3u * features + f] = shift[f];
}

@compute @workgroup_size(64)
fn diagonal_product_backward(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.x;
  let features = params.features;
  if (f >= features) { return; }
  d_center[f] += d_constants[f];
  d_raw[f] += offset[f] * d_constants[features + f];
  d_offset[f] += raw[f] * d_constants[features + f];
  d_shift[f] += d_constants[3u * features + f];
}
