// Sequences at the edges of a program: one step of row-major [rows, steps, features] in, into tiled tensors, and out; the mean scale of a
// series; and the log-density of its steps, summed.
//
//   read_step   inside[at + f, row] = outside[source, step, f] / scale[f, row]    source = (first_row + row) mod period with REPEATED, else row
//   write_step  result[row, step, f] = tensor[f, row] scale[f, row]
//   mean_scale  inside[f, row] = mean of |outside[row, t, f]| over t < step, or 1 where that is below 1e-30 or step is 0
//   total       result[row, t] = outside[row, t] - sum over f of log scale[f, row];    sum[row] = sum over t of result[row, t]
//
// scale is 1 without SCALED. Sums are taken in runs of 24 steps, which are then added.
//
// Shapes      outside, result row-major [rows, steps, features], for total log-densities [rows, steps] in nats; sum row-major [rows];
//             inside, tensor tiled [inside_features, rows], of which tensor's first `features` are written; scale tiled [features, rows].
// Error       both steps: none, or one rounding with SCALED; mean_scale 5e-7 relative; total (24 + steps / 24) units in the last place
//             of sum |result| at most (tests/cases/series.ts).
// Derivative  read_step: d outside[row, step, f] = d inside / scale (summed over the rows that repeat it). write_step: d tensor = scale d result.
//             total: d outside[row, t] = d result[row, t] + d sum[row]. The scale is held constant, as in the paper.
// Paper       Rasul et al. 2021, arXiv:2002.06103; mean scaling: Salinas et al. 2020, arXiv:1704.04110, section 3.3.

#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/math.wgsl"

struct Params {
  features: u32,
  inside_features: u32, // of the whole tiled tensor
  at: u32,              // feature of inside at which the step is put
}

override SCALED: bool = false;
override REPEATED: bool = false;

const RUN = 24u;

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> outside: array<f32>;
@group(0) @binding(3) var<storage, read_write> inside: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> scale: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> tensor: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> result: array<f32>;
@group(0) @binding(7) var<storage, read_write> sum: array<f32>;

/// Four rows, the last one again for those beyond the batch.
fn four_rows(row: u32) -> vec4<u32> {
  let last = rows() - 1u;
  let wanted = row + vec4<u32>(0u, 1u, 2u, 3u);
  return select(wanted, vec4<u32>(last), wanted > vec4<u32>(last));
}

/// Feature 0 of rows at one step, in sequences of `width` features.
fn addresses(source: vec4<u32>, step: u32, width: u32) -> vec4<u32> { return (source * whole(call.steps) + step) * width; }

fn gather(at: vec4<u32>) -> vec4<f32> { return vec4<f32>(outside[at.x], outside[at.y], outside[at.z], outside[at.w]); }

/// Stores the lanes of rows that exist.
fn scatter(at: vec4<u32>, value: vec4<f32>, row: u32) {
  let left = rows() - row;
  result[at.x] = value.x;
  if (left > 1u) { result[at.y] = value.y; }
  if (left > 2u) { result[at.z] = value.z; }
  if (left > 3u) { result[at.w] = value.w; }
}

@compute @workgroup_size(16, 4)
fn read_step(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.y;
  if (id.x * 4u >= rows() || f >= params.features) { return; }
  var source = four_rows(id.x * 4u);
  if (REPEATED) { source = (whole(call.first_row) + source) % whole(call.period); }
  var value = gather(addresses(source, whole(call.step), params.features) + f);
  if (SCALED) { value /= scale[tiled(params.features, id.x) + f * TILE4]; }
  inside[tiled(params.inside_features, id.x) + (params.at + f) * TILE4] = value;
}

@compute @workgroup_size(16, 4)
fn write_step(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.y;
  if (id.x * 4u >= rows() || f >= params.features) { return; }
  var value = tensor[tiled(params.inside_features, id.x) + f * TILE4];
  if (SCALED) { value *= scale[tiled(params.features, id.x) + f * TILE4]; }
  scatter(addresses(four_rows(id.x * 4u), whole(call.step), params.features) + f, value, id.x * 4u);
}

@compute @workgroup_size(16, 4)
fn mean_scale(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.y;
  if (id.x * 4u >= rows() || f >= params.features) { return; }
  let steps = whole(call.step);
  var at = addresses(four_rows(id.x * 4u), 0u, params.features) + f;
  var all = vec4<f32>(0.0);
  for (var start = 0u; start < steps; start += RUN) {
    var part = vec4<f32>(0.0);
    for (var t = start; t < min(start + RUN, steps); t++) {
      part += abs(gather(at));
      at += params.features;
    }
    all += part;
  }
  let mean = all / f32(max(steps, 1u));
  inside[tiled(params.features, id.x) + f * TILE4] = select(mean, vec4<f32>(1.0), mean < vec4<f32>(1e-30));
}

@compute @workgroup_size(64)
fn total(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.x * 4u;
  if (row >= rows()) { return; }
  var log_scale = vec4<f32>(0.0);
  if (SCALED) {
    for (var f = 0u; f < params.features; f++) { log_scale += accurate_log(scale[tiled(params.features, id.x) + f * TILE4]); }
  }
  let steps = whole(call.steps);
  var at = addresses(four_rows(row), 0u, 1u);
  var all = vec4<f32>(0.0);
  for (var start = 0u; start < steps; start += RUN) {
    var part = vec4<f32>(0.0);
    for (var t = start; t < min(start + RUN, steps); t++) {
      let value = gather(at) - log_scale;
      scatter(at, value, row);
      part += value;
      at += 1u;
    }
    all += part;
  }
  let left = rows() - row;
  sum[row] = all.x;
  if (left > 1u) { sum[row + 1u] = all.y; }
  if (left > 2u) { sum[row + 2u] = all.z; }
  if (left > 3u) { sum[row + 3u] = all.w; }
}
