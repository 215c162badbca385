// Vector–Jacobian product of the maps to intervals and half-lines (bounded.wgsl), feature by feature, and of the logit, which is one of them.
//
// With y = f(x), t on the line the x, gradients g by the output and m by the log-det term:
//
//   forward  d x = f'(t) g + m (log f')'(t)              UNDO  d y = (g − m (log f')'(t)) / f'(t)
//
//   kind                 f'                (log f')'
//   1 sigmoid            w k u v           k (v − u)        u = sigmoid(k t), v = sigmoid(−k t); 2 tanh is this with w = k = 2
//   3 softplus           k u               v                u = sigmoid(t)
//   4 exp                k e^t             1
//
// UNDO takes u and v from the value in the support: (y − low) / w and (high − y) / w, or 1 − e^−d and e^−d with d = k (y − low). What bounded
// moves away from the ends, u or v below eps, has the gradient 0, and so has what lies beyond them.
//
// A learned k, the temperature of a sigmoid, is in the table twice, itself and as log k. Its gradient lies where k does:
//
//   support_table           made = raw, but log raw in the last row of a sigmoid's feature
//   support_table_backward  d_raw += d_made
//   bounded_gradient        d_table[3, f] += Σ over rows of g w t u v + m (1 / k + t (v − u)), with UNDO of −(g t + m) / k
//
// Shapes      source, what enters, line (t), d_y, d_log_terms, d_x tiled [D, rows]; table, raw, made and their gradients f32 [6, D] as in bounded.wgsl.
// Error       1e-6 relative to max(1, |value|), with UNDO 5e-5 a hundredth of the support from its ends; sums 16 + tiles units in the last place
//             of Σ |terms| (tests/cases/bounded-backward.ts).
// Paper       Dinh, Sohl-Dickstein, Bengio 2017, arXiv:1605.08803, section 4.1; Kucukelbir et al. 2017, arXiv:1603.00788, section 2.3.

#import "lib/rows-backward.wgsl"
#import "lib/layout.wgsl"
#import "lib/math.wgsl"

struct Params {
  features: u32,
  eps: f32,
}

override UNDO: bool = false;
override HAS_Y: bool = true; // the loss depends on the value
override HAS_LOG_DET: bool = true; // and on the log-det terms

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> table: array<f32>;
@group(0) @binding(4) var<storage, read> d_y: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> d_log_terms: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> d_x: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read> line: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> d_table: array<f32>;
@group(0) @binding(9) var<storage, read> raw: array<f32>;
@group(0) @binding(10) var<storage, read_write> made: array<f32>;
@group(0) @binding(11) var<storage, read> d_made: array<f32>;
@group(0) @binding(12) var<storage, read_write> d_raw: array<f32>;

@compute @workgroup_size(16, 4)
fn bounded_backward(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.y;
  let features = params.features;
  if (id.x * 4u >= rows() || f >= features) { return; }
  let at = tiled(features, id.x) + f * TILE4;
  let kind = u32(table[f]);
  var low = table[features + f];
  var high = table[2u * features + f];
  var k = table[3u * features + f];
  if (kind == 2u) {
    low = -1.0;
    high = 1.0;
    k = 2.0;
  }
  let w = high - low;
  let v = source[at];
  var slope = vec4<f32>(1.0);
  var bend = vec4<f32>(0.0);
  var held = vec4<bool>(false);
  switch kind {
    case 1u, 2u: {
      var below = accurate_sigmoid(k * v);
      var above = accurate_sigmoid(-k * v);
      if (UNDO) {
        below = (v - low) / w;
        above = (high - v) / w;
        if (kind == 1u) { held = (below < vec4<f32>(params.eps)) | (above < vec4<f32>(params.eps)); }
      }
      slope = (w * k) * below * above;
      bend = k * (above - below);
    }
    case 3u: {
      var below = accurate_sigmoid(v);
      bend = accurate_sigmoid(-v);
      if (UNDO) {
        below = -accurate_expm1(-k * (v - low));
        bend = accurate_exp(-k * (v - low));
      }
      slope = k * below;
    }
    case 4u: {
      if (UNDO) { slope = v - low; } else { slope = k * accurate_exp(v); }
      bend = vec4<f32>(1.0);
    }
    default: {}
  }
  var given = vec4<f32>(0.0);
  if (HAS_Y) { given = d_y[at]; }
  var by_l = vec4<f32>(0.0);
  if (HAS_LOG_DET) { by_l = d_log_terms[at]; }
  if (UNDO) {
    d_x[at] = select((given - by_l * bend) / slope, vec4<f32>(0.0), held);
  } else {
    d_x[at] = slope * given + by_l * bend;
  }
}

@compute @workgroup_size(64)
fn bounded_gradient(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.x;
  let features = params.features;
  if (f >= features || table[f] != 1.0) { return; }
  let w = table[2u * features + f] - table[features + f];
  let k = table[3u * features + f];
  let groups = (rows() + 3u) / 4u;
  var sum = 0.0;
  for (var first = 0u; first < groups; first += TILE4) {
    let end = min(first + TILE4, groups);
    var at = tiled(features, first) + f * TILE4;
    var part = vec4<f32>(0.0);
    for (var group = first; group < end; group++) {
      let t = line[at];
      var by_value = -t / k;
      var by_term = vec4<f32>(-1.0 / k);
      if (!UNDO) {
        let below = accurate_sigmoid(k * t);
        let above = accurate_sigmoid(-k * t);
        by_value = (w * t) * below * above;
        by_term = 1.0 / k + t * (above - below);
      }
      var term = vec4<f32>(0.0);
      if (HAS_Y) { term += d_y[at] * by_value; }
      if (HAS_LOG_DET) { term += d_log_terms[at] * by_term; }
      part += select(vec4<f32>(0.0), term, present(group));
      at++;
    }
    sum += dot(part, vec4<f32>(1.0));
  }
  d_table[3u * features + f] += sum;
}

@compute @workgroup_size(64)
fn support_table(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x;
  let features = params.features;
  if (i >= 6u * features) { return; }
  made[i] = raw[i];
  if (i >= 5u * features && raw[i - 5u * features] == 1.0) { made[i] = accurate_log(vec4<f32>(raw[i])).x; }
}

@compute @workgroup_size(64)
fn support_table_backward(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x;
  if (i < 6u * params.features) { d_raw[i] += d_made[i]; }
}
