// Elementary functions, one a pipeline: what tests sweep and benchmarks time.
//
//   result[i] = f(source[i])          f chosen by FUNCTION, in the order of `evaluate`
//
// Shapes   source, result f32 [4 count]. sin_cos_2pi, normals and uniform01 read the bits of the source as u32.
// Error    lib/math.wgsl, lib/philox.wgsl.
// Paper    lib/math.wgsl, lib/philox.wgsl.

#import "lib/math.wgsl"
#import "lib/philox.wgsl"

override FUNCTION: u32 = 0u;

struct Params {
  count: u32, // vec4 elements
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> result: array<vec4<f32>>;

fn evaluate(v: vec4<f32>) -> vec4<f32> {
  switch FUNCTION {
    case 0u: { return accurate_exp(v); }
    case 1u: { return accurate_expm1(v); }
    case 2u: { return accurate_log(v); }
    case 3u: { return accurate_log1p(v); }
    case 4u: { return accurate_tanh(v); }
    case 5u: { return accurate_sigmoid(v); }
    case 6u: { return accurate_softplus(v); }
    case 7u: { return sin_cos_2pi(bitcast<vec4<u32>>(v)).sin; }
    case 8u: { return sin_cos_2pi(bitcast<vec4<u32>>(v)).cos; }
    case 9u: { return normals(bitcast<vec4<u32>>(v)); }
    case 10u: { return uniform01(bitcast<vec4<u32>>(v)); }
    case 11u: { return select(vec4<f32>(0.0), vec4<f32>(1.0), is_nan4(v)); }
    default: { return v; }
  }
}

@compute @workgroup_size(64)
fn elementary(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= params.count) { return; }
  result[id.x] = evaluate(source[id.x]);
}
