// Activations with their derivatives, and LipSwish, which has a parameter.
//
//   lipswish   act(v) = v sigmoid(beta v) / 1.1, whose slope stays below 1 (arXiv:1906.02735, section 4)
//   all others lib/activation.wgsl; the slope of relu and leaky_relu at 0 is 1
#import "lib/activation.wgsl"

const ACT_LIPSWISH = 8u;

fn activate_with(kind: u32, v: vec4<f32>, beta: f32) -> vec4<f32> {
  if (kind == ACT_LIPSWISH) { return v * accurate_sigmoid(beta * v) / 1.1; }
  return activate(kind, v);
}

/// e^-|v| / (1 + e^-|v|)^2 = sigmoid(v) (1 - sigmoid(v)) without its cancellation.
fn bell(v: vec4<f32>) -> vec4<f32> {
  let e = accurate_exp(-abs(v));
  let below = 1.0 + e;
  return e / (below * below);
}

/// NaN where v is.
fn slope_of(kind: u32, v: vec4<f32>, beta: f32) -> vec4<f32> {
  var slope = vec4<f32>(1.0);
  switch kind {
    case ACT_RELU: { slope = select(slope, vec4<f32>(0.0), v < vec4<f32>(0.0)); }
    case ACT_TANH: { slope = 4.0 * bell(2.0 * v); }
    case ACT_SIGMOID: { slope = bell(v); }
    case ACT_ELU: { slope = select(slope, accurate_exp(v), v < vec4<f32>(0.0)); }
    case ACT_LEAKY_RELU: { slope = select(slope, vec4<f32>(0.01), v < vec4<f32>(0.0)); }
    case ACT_SILU: { slope = accurate_sigmoid(v) + v * bell(v); }
    case ACT_SOFTPLUS: { slope = accurate_sigmoid(v); }
    case ACT_LIPSWISH: {
      let u = beta * v;
      slope = (accurate_sigmoid(u) + u * bell(u)) / 1.1;
    }
    default: {}
  }
  return select(slope, v, is_nan4(v));
}
