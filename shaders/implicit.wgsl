// The solution x of a sequential solve f(x) = z as a differentiable quantity.
//
//   y = v + (z − f(v)) e^−s       v the solution that the solve kernel found, s = log ∂f_i / ∂x_i: one step of Newton's method on the
//                                 diagonal, which moves the last bits at most
//
// Derivative  J dx = dz − ∂f/∂θ dθ, so with λ = J⁻ᵀ d the gradient by z is λ, and by θ that of −⟨λ, f(v; θ)⟩. J is triangular in the order
//             of the features, so λ ← λ + (d − Jᵀ λ) e^−s from λ = d e^−s, which is this very map, is exact after as many steps as the solve
//             has, each with one vector–Jacobian product of the parallel pass. Where f(x) is x + g(x) with a contraction g, s is 0, y one more plain
//             step, and λ comes from residual-solve-backward.wgsl.
// Shapes      all tiled [features, rows].
// Error       2 units in the last place of the larger of v and the correction (tests/cases/implicit.ts).

#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/math.wgsl"

struct Params {
  features: u32,
  steps: u32, // of the solve, for the derivative rule; 0 where it is that of a contraction
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> value: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> goal: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> image: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> log_slope: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(16, 4)
fn implicit(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x * 4u >= rows() || id.y >= params.features) { return; }
  let at = tiled(params.features, id.x) + id.y * TILE4;
  y[at] = value[at] + times_exp(goal[at] - image[at], -log_slope[at]);
}
