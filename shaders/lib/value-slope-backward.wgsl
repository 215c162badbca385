// The slope of an activation from its value y = act(v), where it follows: tanh (1 - y)(1 + y), sigmoid y (1 - y), elu 1 + y below 0, softplus
// 1 - e^-y; relu 0 at 0, as in PyTorch. NaN where y is.
#import "lib/activation.wgsl"

fn slope_from_value(kind: u32, y: vec4<f32>) -> vec4<f32> {
  var slope = vec4<f32>(1.0);
  switch kind {
    case ACT_RELU: { slope = select(vec4<f32>(0.0), slope, y > vec4<f32>(0.0)); }
    case ACT_TANH: { slope = (1.0 - y) * (1.0 + y); }
    case ACT_SIGMOID: { slope = y * (1.0 - y); }
    case ACT_ELU: { slope = select(slope, 1.0 + y, y < vec4<f32>(0.0)); }
    case ACT_LEAKY_RELU: { slope = select(slope, vec4<f32>(0.01), y < vec4<f32>(0.0)); }
    case ACT_SOFTPLUS: { slope = -accurate_expm1(-y); }
    default: {}
  }
  return select(slope, y, is_nan4(y));
}
