// The body of masked-linear-few.wgsl and its twin with float16 weights: the importer says what it does.
#import "lib/masked-linear.wgsl"

var<workgroup> parts: array<vec4<f32>, 512>; // sum i of half h and slice s in 16 s + 8 h + i
var<workgroup> quarters: array<vec4<f32>, 64>;

fn multiply_few(wg: vec3<u32>, lane: vec3<u32>) {
  let strip = wg.y;
  let group = wg.x * 2u; // this workgroup's rows: group, and the one after it
  let half = lane.x % 2u;
  let slice = lane.x / 2u;
  let both = (group + 1u) * 4u < rows();
  let last = ranges[strip * 2u + 1u];
  let x_from = tiled(params.x_features, group) + (params.x_at + wg.z * params.inputs) * TILE4;
  var a0 = vec4<f32>(0.0); var a1 = vec4<f32>(0.0); var a2 = vec4<f32>(0.0); var a3 = vec4<f32>(0.0);
  var b0 = vec4<f32>(0.0); var b1 = vec4<f32>(0.0); var b2 = vec4<f32>(0.0); var b3 = vec4<f32>(0.0);
  for (var k = ranges[strip * 2u] + slice; k < last; k += 32u) {
    let w = weights_of((strip * params.inputs + k) * 2u + half);
    let x0 = x[x_from + k * TILE4];
    a0 = fma(vec4<f32>(w.x), x0, a0); a1 = fma(vec4<f32>(w.y), x0, a1);
    a2 = fma(vec4<f32>(w.z), x0, a2); a3 = fma(vec4<f32>(w.w), x0, a3);
    if (both) {
      let x1 = x[x_from + k * TILE4 + 1u];
      b0 = fma(vec4<f32>(w.x), x1, b0); b1 = fma(vec4<f32>(w.y), x1, b1);
      b2 = fma(vec4<f32>(w.z), x1, b2); b3 = fma(vec4<f32>(w.w), x1, b3);
    }
  }
  let to = slice * 16u + half * 8u;
  parts[to] = a0; parts[to + 1u] = a1; parts[to + 2u] = a2; parts[to + 3u] = a3;
  parts[to + 4u] = b0; parts[to + 5u] = b1; parts[to + 6u] = b2; parts[to + 7u] = b3;
  workgroupBarrier();
  var quarter = vec4<f32>(0.0);
  for (var s = 0u; s < 8u; s++) { quarter += parts[(lane.x / 16u * 8u + s) * 16u + lane.x % 16u]; }
  quarters[lane.x] = quarter;
  workgroupBarrier();
  let row_group = group + lane.x / 4u % 2u;
  let o = strip * 8u + lane.x / 8u * 4u + lane.x % 4u;
  if (lane.x >= 16u || o >= params.outputs || row_group * 4u >= rows()) { return; }
  let sum = (quarters[lane.x] + quarters[lane.x + 16u]) + (quarters[lane.x + 32u] + quarters[lane.x + 48u]);
  finish(o, row_group, params.y_at + wg.z * params.outputs, sum);
}
