// The body of masked-linear-shared.wgsl and its twin with float16 weights: the importer says what it does.
#import "lib/masked-linear.wgsl"

const DEPTH = 16u; // inputs of one partial sum, and of what lies in workgroup memory

var<workgroup> x_tile: array<vec4<f32>, 256>; // input k of row group g in 16 k + g
var<workgroup> w_tile: array<vec4<f32>, 256>; // half h of strip s at input k in 16 k + 2 s + h

fn multiply_shared(wg: vec3<u32>, lane: vec3<u32>) {
  let strips = (params.outputs + 7u) / 8u;
  let strip0 = wg.y * 8u;
  let strip = strip0 + lane.y;
  let group = wg.x * TILE4 + lane.x;
  let local = lane.y * 16u + lane.x;
  var joined = vec2<u32>(0u);
  for (var s = strip0; s < min(strip0 + 8u, strips); s++) { joined = union_of(joined, ranges_of(s)); }
  let own = select(vec2<u32>(0u), ranges_of(min(strip, strips - 1u)), strip < strips);
  let x_from = tiled(params.x_features, wg.x * TILE4) + (params.x_at + wg.z * params.inputs) * TILE4;
  var sums: array<vec4<f32>, 8>;
  for (var start = joined.x; start < joined.y; start += DEPTH) {
    let depth = min(DEPTH, joined.y - start);
    workgroupBarrier();
    for (var i = local; i < 256u; i += 128u) {
      let k = i / 16u;
      if (k < depth) {
        x_tile[i] = x[x_from + (start + k) * TILE4 + i % 16u];
        let s = min(strip0 + i % 16u / 2u, strips - 1u);
        w_tile[i] = weights_of((s * params.inputs + start + k) * 2u + i % 2u);
      }
    }
    workgroupBarrier();
    if (start < own.y && start + depth > own.x) {
      var a0 = vec4<f32>(0.0); var a1 = vec4<f32>(0.0); var a2 = vec4<f32>(0.0); var a3 = vec4<f32>(0.0);
      var a4 = vec4<f32>(0.0); var a5 = vec4<f32>(0.0); var a6 = vec4<f32>(0.0); var a7 = vec4<f32>(0.0);
      for (var k = 0u; k < depth; k++) {
        let v = x_tile[k * 16u + lane.x];
        let w0 = w_tile[k * 16u + lane.y * 2u];
        let w1 = w_tile[k * 16u + lane.y * 2u + 1u];
        a0 = fma(vec4<f32>(w0.x), v, a0); a1 = fma(vec4<f32>(w0.y), v, a1);
        a2 = fma(vec4<f32>(w0.z), v, a2); a3 = fma(vec4<f32>(w0.w), v, a3);
        a4 = fma(vec4<f32>(w1.x), v, a4); a5 = fma(vec4<f32>(w1.y), v, a5);
        a6 = fma(vec4<f32>(w1.z), v, a6); a7 = fma(vec4<f32>(w1.w), v, a7);
      }
      sums[0] += a0; sums[1] += a1; sums[2] += a2; sums[3] += a3;
      sums[4] += a4; sums[5] += a5; sums[6] += a6; sums[7] += a7;
    }
  }
  if (group * 4u >= rows()) { return; }
  let y_from = params.y_at + wg.z * params.outputs;
  for (var i = 0u; i < 8u; i++) {
    let o = strip * 8u + i;
    if (o >= params.outputs) { break; }
    finish(o, group, y_from, sums[i]);
  }
}
