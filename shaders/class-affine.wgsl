// Affine map of each feature by constants of the row's class: a normal base for each class.
//
//   class_affine   y[f] = x[f] factor[k, f] + loc[k, f]          factor = e^log_scale                a draw
//                  y[f] = (x[f] - loc[k, f]) factor[k, f]        WHITEN, factor = e^-log_scale       its noise
//   class_term     total[row] += term[k]                         nats
//
// k is the label, a context feature. Where that is not an integer from 0 to classes - 1, NaN among them, the row's results are NaN.
//
// Shapes      x, y tiled [features, rows]; labels tiled [label_features, rows]; table f32 [K + 2 K features] = term, loc, factor;
//             total tiled [1, rows].
// Error       2e-7 relative to max(1, |y|) for x, loc and factor of unit size (tests/cases/class-affine.ts).
// Derivative  of the draw: d x = factor[k] dy; d loc[k, f] = sum over the rows of class k of dy[f], and of the factor sum of x[f] dy[f]; of
//             the term: d term[k] = sum over the rows of class k of d total.
// Paper       Kingma and Dhariwal 2018, arXiv:1807.03039, section 3.2 (class-conditional prior).

#import "lib/call.wgsl"
#import "lib/layout.wgsl"

struct Params {
  features: u32,
  classes: u32,
  label_features: u32,
  label_at: u32,
}

override WHITEN: bool = false;

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> labels: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> table: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> total: array<vec4<f32>>;

struct Classes {
  index: vec4<u32>, // in range, whatever the label
  known: vec4<bool>,
  undefined: vec4<f32>, // NaN
}

fn classes_of(group: u32) -> Classes {
  let label = labels[tiled(params.label_features, group) + params.label_at * TILE4];
  // By bits, since WGSL lets a compiler assume that NaN does not occur: as integers the bits of numbers from 0 on sort as the numbers do,
  // and those of negative numbers and NaN lie above; -0 is 0.
  let bits = bitcast<vec4<u32>>(label);
  let inside = (bits < vec4<u32>(bitcast<u32>(f32(params.classes)))) | (bits == vec4<u32>(0x80000000u));
  let known = inside & (floor(label) == label);
  let undefined = bitcast<vec4<f32>>(bits | vec4<u32>(0x7fc00000u));
  return Classes(vec4<u32>(select(vec4<f32>(0.0), label, known)), known, undefined);
}

@compute @workgroup_size(16, 4)
fn class_affine(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.y;
  if (id.x * 4u >= rows() || f >= params.features) { return; }
  let k = classes_of(id.x);
  let l = k.index * params.features + (params.classes + f);
  let s = l + params.classes * params.features;
  let loc = vec4<f32>(table[l.x], table[l.y], table[l.z], table[l.w]);
  let factor = vec4<f32>(table[s.x], table[s.y], table[s.z], table[s.w]);
  let at = tiled(params.features, id.x) + f * TILE4;
  let moved = select(x[at] * factor + loc, (x[at] - loc) * factor, vec4<bool>(WHITEN));
  y[at] = select(k.undefined, moved, k.known);
}

@compute @workgroup_size(64)
fn class_term(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x * 4u >= rows()) { return; }
  let k = classes_of(id.x);
  let term = vec4<f32>(table[k.index.x], table[k.index.y], table[k.index.z], table[k.index.w]);
  total[id.x] = select(k.undefined, total[id.x] + term, k.known);
}
