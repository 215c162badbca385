// Vector–Jacobian product of a Sylvester layer inside its subspace (sylvester.wgsl) whose parameters are a set a row.
//
// With h = tanh v, g_i = 1 + c_i h'_i, S the gradient by what leaves and ℓ that by l = Σ log g_i (minus that by the log-det with UNDO),
// q_i = ℓ c_i h''_i / g_i. Units are taken from the first to the last, since the transposed triangles are lower ones:
//
//   E_i = Σ_{k≤i} R_ki X_k       d v_i = h'_i E_i + q_i       T_i = Σ_{j≤i} R̃_ji d v_j
//   Y = f(y)    X = S            d y = S + T
//   UNDO        X = −d Y         d Y_i g_i = S_i + Σ_{j<i} R̃_ji d v_j + R̃_ii (q_i + h'_i Σ_{k<i} R_ki X_k): substitution with Gᵀ
//   both        d b = d v        d R_ij = X_i h_j       d R̃_ij = d v_i y_j, and ℓ h'_i / g_i d c_i on the diagonals, then through their tanh
//
// Shapes      y, what enters or with UNDO what leaves, hidden (tanh v), d_moved, d_source tiled [M, rows]; d_log_det tiled [1, rows];
//             parameters, d_parameters tiled [M² + 2 M, rows], as in sylvester.wgsl.
// Error       2e-6 relative to max(1, |value|), 1e-5 with UNDO, for triangles of unit row norms (tests/cases/sylvester-backward.ts).
// Paper       van den Berg, Hasenclever, Tomczak, Welling 2018, arXiv:1803.05649, theorem 1 and section 3.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/math.wgsl"

struct Params {
  units: u32,
}

override UNDO: bool = false;
override HAS_Y: bool = true; // the loss depends on what leaves
override HAS_LOG_DET: bool = true; // and on the log-det

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> y: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> hidden: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> parameters: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> d_moved: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> d_log_det: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> d_source: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> d_parameters: array<vec4<f32>>;

fn seed(at: u32) -> vec4<f32> {
  if (HAS_Y) { return d_moved[at]; }
  return vec4<f32>(0.0);
}

/// X of a unit that was taken.
fn passed(at: u32) -> vec4<f32> {
  if (UNDO) { return -d_source[at]; }
  return seed(at);
}

@compute @workgroup_size(64)
fn sylvester_backward(@builtin(global_invocation_id) id: vec3<u32>) {
  let group = id.x;
  if (group * 4u >= rows()) { return; }
  let units = params.units;
  let base = tiled(units, group);
  let p_at = tiled(units * (units + 2u), group);
  let diagonal_at = p_at + units * units * TILE4;
  let v_at = diagonal_at + units * TILE4;
  var by_l = vec4<f32>(0.0);
  if (HAS_LOG_DET) { by_l = d_log_det[group]; }
  if (UNDO) { by_l = -by_l; }
  for (var i = 0u; i < units; i++) {
    // Sums in runs of 8 units, then over the runs.
    var r_x = vec4<f32>(0.0);
    var r_v = vec4<f32>(0.0);
    for (var start = 0u; start < i; start += 8u) {
      var part_x = vec4<f32>(0.0);
      var part_v = vec4<f32>(0.0);
      for (var j = start; j < min(start + 8u, i); j++) {
        part_x = fma(parameters[p_at + (j * units + i) * TILE4], passed(base + j * TILE4), part_x);
        part_v = fma(parameters[p_at + (i * units + j) * TILE4], d_parameters[v_at + j * TILE4], part_v);
      }
      r_x += part_x;
      r_v += part_v;
    }
    let at = base + i * TILE4;
    let r = accurate_tanh(parameters[p_at + i * (units + 1u) * TILE4]);
    let r_tilde = accurate_tanh(parameters[diagonal_at + i * TILE4]);
    let c = r * r_tilde;
    let t = hidden[at];
    let slope = (1.0 - t) * (1.0 + t);
    let whole = fma(slope, 1.0 + c, t * t);
    let m = by_l * slope / whole;
    let q = -2.0 * c * t * m;
    var x = seed(at);
    if (UNDO) { x = -(x + r_v + r_tilde * (q + slope * r_x)) / whole; }
    let by_v = slope * (r_x + r * x) + q;
    if (UNDO) { d_source[at] = -x; } else { d_source[at] = x + r_v + r_tilde * by_v; }
    d_parameters[v_at + i * TILE4] = by_v;
    d_parameters[p_at + i * (units + 1u) * TILE4] = (x * t + m * r_tilde) * (1.0 - r) * (1.0 + r);
    d_parameters[diagonal_at + i * TILE4] = (by_v * y[at] + m * r) * (1.0 - r_tilde) * (1.0 + r_tilde);
    for (var j = i + 1u; j < units; j++) {
      d_parameters[p_at + (i * units + j) * TILE4] = x * hidden[base + j * TILE4];
      d_parameters[p_at + (j * units + i) * TILE4] = by_v * y[base + j * TILE4];
    }
  }
}
