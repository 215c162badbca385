// Tails of the normal distribution, one function a pipeline: what tests sweep.
//
//   result[i] = f(source[i])          FUNCTION 0: mills_ratio; 1: t of normal_tail; 2: R of normal_tail
//
// Shapes   source, result f32 [4 count].
// Error    lib/normal.wgsl.
// Paper    lib/normal.wgsl.

#import "lib/normal.wgsl"

override FUNCTION: u32 = 0u;

struct Params {
  count: u32, // vec4 elements
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> result: array<vec4<f32>>;

@compute @workgroup_size(64)
fn normal(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= params.count) { return; }
  let v = source[id.x];
  if (FUNCTION == 0u) {
    result[id.x] = mills_ratio(v);
  } else {
    let tail = normal_tail(v);
    result[id.x] = select(tail.mills, tail.t, vec4<bool>(FUNCTION == 1u));
  }
}
