// Standard normal base.
//
//   sample        z[f, row] = normal number f of row FIRST_ROW + row under the seed
//                 Philox counter = (row, f / 4, 0, 0), key = seed: a draw depends on its row and the seed alone, never on the batch
//   log_density   log_prob[row] = SIGN log_det[row] - 1/2 sum z^2 - (D / 2) log 2 pi        nats
//                 SIGN is +1 after the forward map (density), -1 after the inverse (sampling)
//
// Shapes   z tiled [D, rows]; log_det, log_prob tiled [1, rows].
// Error    draws: 1e-6 relative to max(1, |z|); density: 1e-6 relative to max(1, |log density|) (tests/cases/standard-normal.ts).
// Paper    Salmon et al. 2011, doi:10.1145/2063384.2063405; Box and Muller 1958, doi:10.1214/aoms/1177706645.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/philox.wgsl"

struct Params {
  dim: u32,
  sign: f32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read_write> z: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> log_det: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> log_prob: array<vec4<f32>>;

@compute @workgroup_size(16, 4)
fn sample(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.y * 4u;
  if (id.x * 4u >= rows() || f >= params.dim) { return; }
  let row = whole(call.first_row) + id.x * 4u;
  let key = vec2<u32>(whole(call.seed_low), whole(call.seed_high));
  let drawn = transpose(mat4x4<f32>(
    normals(philox(vec4<u32>(row, id.y, 0u, 0u), key)),
    normals(philox(vec4<u32>(row + 1u, id.y, 0u, 0u), key)),
    normals(philox(vec4<u32>(row + 2u, id.y, 0u, 0u), key)),
    normals(philox(vec4<u32>(row + 3u, id.y, 0u, 0u), key)),
  ));
  let at = tiled(params.dim, id.x) + f * TILE4;
  z[at] = drawn[0];
  if (f + 1u < params.dim) { z[at + TILE4] = drawn[1]; }
  if (f + 2u < params.dim) { z[at + 2u * TILE4] = drawn[2]; }
  if (f + 3u < params.dim) { z[at + 3u * TILE4] = drawn[3]; }
}

@compute @workgroup_size(64)
fn log_density(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x * 4u >= rows()) { return; }
  let base = tiled(params.dim, id.x);
  var sum = vec4<f32>(0.0);
  for (var start = 0u; start < params.dim; start += 8u) {
    var part = vec4<f32>(0.0);
    let end = min(start + 8u, params.dim);
    for (var f = start; f < end; f++) {
      let value = source[base + f * TILE4];
      part += value * value;
    }
    sum += part;
  }
  log_prob[id.x] = params.sign * log_det[id.x] - (0.5 * sum + f32(params.dim) * 0.9189385332046727);
}
