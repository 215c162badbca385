// Activations by number; src/kernels/activation.ts holds the names. relu and its kin compare instead of calling max, which may
// turn a NaN into 0.
#import "lib/math.wgsl"

const ACT_RELU = 1u;
const ACT_TANH = 2u;
const ACT_SIGMOID = 3u;
const ACT_ELU = 4u;
const ACT_LEAKY_RELU = 5u; // slope 0.01, as torch.nn.LeakyReLU
const ACT_SILU = 6u;
const ACT_SOFTPLUS = 7u;

fn activate(kind: u32, v: vec4<f32>) -> vec4<f32> {
  switch kind {
    case ACT_RELU: { return select(v, vec4<f32>(0.0), v < vec4<f32>(0.0)); }
    case ACT_TANH: { return accurate_tanh(v); }
    case ACT_SIGMOID: { return accurate_sigmoid(v); }
    case ACT_ELU: { return select(v, accurate_expm1(v), v < vec4<f32>(0.0)); }
    case ACT_LEAKY_RELU: { return select(v, 0.01 * v, v < vec4<f32>(0.0)); }
    case ACT_SILU: { return v * accurate_sigmoid(v); }
    case ACT_SOFTPLUS: { return accurate_softplus(v); }
    default: { return v; }
  }
}
