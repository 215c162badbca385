// Activation and its derivative, feature by feature: what a tangent that passes the activation is multiplied with.
//
//   value[f] = act(source[f])        slope[f] = act'(source[f])
//
//   lipswish   act(v) = v sigmoid(beta v) / 1.1, whose slope stays below 1 (arXiv:1906.02735, section 4)
//   all others lib/activation.wgsl; the slope of relu and leaky_relu at 0 is 1
//
// Shapes      source, value, slope tiled [features, rows].
// Error       5e-7 relative to max(1, |value|) (tests/cases/activation.ts).
// Derivative  d source = act'(source) d value + act''(source) d slope.
// Paper       Griewank and Walther 2008, Evaluating Derivatives, chapter 3 (forward mode).

#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/activation.wgsl"

const ACT_LIPSWISH = 8u;

struct Params {
  features: u32,
  beta: f32, // lipswish
}

override ACTIVATION: u32 = 0u;
override HAS_VALUE: bool = true;
override HAS_SLOPE: bool = true;

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> value: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> slope: array<vec4<f32>>;

/// e^-|v| / (1 + e^-|v|)^2 = sigmoid(v) (1 - sigmoid(v)) without its cancellation.
fn bell(v: vec4<f32>) -> vec4<f32> {
  let e = accurate_exp(-abs(v));
  let below = 1.0 + e;
  return e / (below * below);
}

fn slope_of(v: vec4<f32>) -> vec4<f32> {
  switch ACTIVATION {
    case ACT_RELU: { return select(vec4<f32>(1.0), vec4<f32>(0.0), v < vec4<f32>(0.0)); }
    case ACT_TANH: { return 4.0 * bell(2.0 * v); }
    case ACT_SIGMOID: { return bell(v); }
    case ACT_ELU: { return select(vec4<f32>(1.0), accurate_exp(v), v < vec4<f32>(0.0)); }
    case ACT_LEAKY_RELU: { return select(vec4<f32>(1.0), vec4<f32>(0.01), v < vec4<f32>(0.0)); }
    case ACT_SILU: { return accurate_sigmoid(v) + v * bell(v); }
    case ACT_SOFTPLUS: { return accurate_sigmoid(v); }
    case ACT_LIPSWISH: {
      let u = params.beta * v;
      return (accurate_sigmoid(u) + u * bell(u)) / 1.1;
    }
    default: { return vec4<f32>(1.0); }
  }
}

@compute @workgroup_size(16, 4)
fn activation(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.y;
  if (id.x * 4u >= rows() || f >= params.features) { return; }
  let at = tiled(params.features, id.x) + f * TILE4;
  let v = source[at];
  if (HAS_VALUE) {
    if (ACTIVATION == ACT_LIPSWISH) { value[at] = v * accurate_sigmoid(params.beta * v) / 1.1; } else { value[at] = activate(ACTIVATION, v); }
  }
  if (HAS_SLOPE) {
    let nan = is_nan4(v);
    slope[at] = select(slope_of(v), v, nan);
  }
}
