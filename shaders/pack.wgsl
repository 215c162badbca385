// Edges of a program: row-major arrays of the caller in, tiled tensors inside, and back.
//
//   pack     inside[f, row] = outside[row, f]       (outside[0, f] where the context has one row for all)
//   unpack   outside[row, f] = inside[f, row]
//
// Shapes   outside row-major [rows, features]; inside tiled [features, rows]. Rows beyond the batch are neither read nor written.
// Error    none: the bits are copied.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"

struct Params {
  features: u32,
  is_context: u32, // 1: rows advance by call.context_stride
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> outside: array<f32>;
@group(0) @binding(3) var<storage, read_write> inside: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> result: array<f32>;
@group(0) @binding(5) var<storage, read> tensor: array<vec4<f32>>;

@compute @workgroup_size(16, 4)
fn pack(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.y;
  let count = rows();
  if (id.x * 4u >= count || f >= params.features) { return; }
  let last = count - 1u;
  let stride = select(1u, call.context_stride.x, params.is_context == 1u) * params.features;
  let row = id.x * 4u;
  inside[tiled(params.features, id.x) + f * TILE4] = vec4<f32>(
    outside[row * stride + f],
    outside[min(row + 1u, last) * stride + f],
    outside[min(row + 2u, last) * stride + f],
    outside[min(row + 3u, last) * stride + f],
  );
}

@compute @workgroup_size(16, 4)
fn unpack(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.y;
  let count = rows();
  if (id.x * 4u >= count || f >= params.features) { return; }
  let row = id.x * 4u;
  let value = tensor[tiled(params.features, id.x) + f * TILE4];
  let at = row * params.features + f;
  result[at] = value.x;
  if (row + 1u < count) { result[at + params.features] = value.y; }
  if (row + 2u < count) { result[at + 2u * params.features] = value.z; }
  if (row + 3u < count) { result[at + 3u * params.features] = value.w; }
}
