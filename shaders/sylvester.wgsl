// Sylvester flow inside the subspace that Q spans: M hidden units with triangular weights, y = Qᵀ z.
//
//   Y = y + R tanh(R̃ y + b)        log|det| = Σ_i log(1 + R_ii R̃_ii tanh'(v_i)),  v = R̃ y + b
//
// R and R̃ are upper triangular and their diagonals lie in (−1, 1), so each factor is positive. Units are taken from the last to the
// first, in both directions: unit i needs v_j and y_j of j ≥ i alone. Forward v_i = R̃_ii y_i + β, β = b_i + Σ_{j>i} R̃_ij y_j. UNDO knows
// P = Y_i − Σ_{j>i} R_ij tanh v_j instead and solves v_i + c tanh v_i = R̃_ii P + β with c = R_ii R̃_ii (lib/tanh-solve.wgsl), y_i = P − R_ii tanh v_i.
//
// Shapes      source, moved, change, hidden tiled [M, rows]: what enters, what leaves, their difference (HAS_CHANGE; what Q is multiplied
//             with where M < D), tanh v; parameters, a table or a network's outputs (PER_ROW): a matrix [M, M] with R above the diagonal
//             and R̃ᵀ below it, diagonal of R on its own, then the diagonal of R̃ [M] and b [M]; a network's diagonals pass a tanh first;
//             log_det tiled [1, rows], nats, added to.
// Error       5e-6 relative to max(1, |moved|) for triangles of unit row norms, both ways (tests/cases/sylvester.ts).
// Derivative  seeds Y' and L: dv_i = h'_i (Rᵀ Y')_i + L c_i h''_i / (1 + c_i h'_i); dy = Y' + R̃ᵀ dv, db = dv, dR = Y' hᵀ and dR̃ = dv yᵀ on the
//             triangles, with L h'_i / (1 + c_i h'_i) dc_i on the diagonals: masked-linear with transposed triangles, outer products
//             summed over rows. UNDO: first G⁻ᵀ, G = I + R diag(h') R̃, by substitution from the first unit to the last.
// Paper       van den Berg, Hasenclever, Tomczak, Welling 2018, arXiv:1803.05649, theorem 1 and section 3.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/row-parameters.wgsl"
#import "lib/log-ratio.wgsl"
#import "lib/tanh-solve.wgsl"

struct Params {
  units: u32,
  parameter_features: u32,
}

override UNDO: bool = false;
override HAS_CHANGE: bool = false;
override HAS_LOG_DET: bool = true;

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> parameters: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> moved: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> change: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> hidden: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> log_det: array<vec4<f32>>;

fn diagonal(group: u32, i: u32) -> vec4<f32> {
  let d = parameter(group, i);
  if (PER_ROW) { return accurate_tanh(d); }
  return d;
}

@compute @workgroup_size(64)
fn sylvester(@builtin(global_invocation_id) id: vec3<u32>) {
  let group = id.x;
  if (group * 4u >= rows()) { return; }
  let units = params.units;
  let base = tiled(units, group);
  var total = vec4<f32>(0.0);
  var run = vec4<f32>(0.0);
  for (var left = units; left > 0u; left--) {
    let i = left - 1u;
    // Sums in runs of 8 units, then over the runs.
    var r_hidden = vec4<f32>(0.0);
    var r_source = vec4<f32>(0.0);
    for (var start = left; start < units; start += 8u) {
      var part_hidden = vec4<f32>(0.0);
      var part_source = vec4<f32>(0.0);
      let end = min(start + 8u, units);
      for (var j = start; j < end; j++) {
        let at = base + j * TILE4;
        part_hidden = fma(parameter(group, i * units + j), hidden[at], part_hidden);
        var inner: vec4<f32>;
        if (UNDO) { inner = moved[at]; } else { inner = source[at]; }
        part_source = fma(parameter(group, j * units + i), inner, part_source);
      }
      r_hidden += part_hidden;
      r_source += part_source;
    }
    let at = base + i * TILE4;
    let r = diagonal(group, i * units + i);
    let r_tilde = diagonal(group, units * units + i);
    let c = r * r_tilde;
    let s = 1.0 + c;
    let value = source[at];
    let beta = parameter(group, units * units + units + i) + r_source;
    var v: vec4<f32>;
    if (UNDO) { v = solve_tanh(c, s, fma(r_tilde, value - r_hidden, beta)); } else { v = fma(r_tilde, value, beta); }
    let t = accurate_tanh(v);
    var delta = fma(r, t, r_hidden);
    if (UNDO) { delta = -delta; }
    hidden[at] = t;
    moved[at] = value + delta;
    if (HAS_CHANGE) { change[at] = delta; }
    if (HAS_LOG_DET) {
      let slope = tanh_slope(v);
      run += log_one_plus(c * slope, fma(slope, s, t * t));
      if (i % 8u == 0u) {
        total += run;
        run = vec4<f32>(0.0);
      }
    }
  }
  if (HAS_LOG_DET) { log_det[group] += select(total, -total, vec4<bool>(UNDO)); }
}
