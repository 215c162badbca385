// Parameters of a kernel that are either one table for all rows, each number four times, or a network's outputs, tiled, one set a row.
// The importing shader declares `parameters: array<vec4<f32>>` and `params.parameter_features`.
#import "lib/layout.wgsl"

override PER_ROW: bool = false;

fn parameter(group: u32, i: u32) -> vec4<f32> {
  if (PER_ROW) { return parameters[tiled(params.parameter_features, group) + i * TILE4]; }
  return parameters[i];
}
