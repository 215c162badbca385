// What follows a linear layer's product by numbers of a table (the norm or the gate of masked-linear.wgsl) as a step of its own, and its
// gradient by the table. Several blocks of features side by side share one table: tangents.
//
//   gate        y[y_at + b F + f] (+)= x[x_at + b F + f] table[scale_at + f]  + table[shift_at + f] with SHIFT          b < blocks
//   gate_sums   d_table[scale_at + f] += sum over rows and b of x[b F + f] d_y[y_at + b F + f]
//               d_table[shift_at + f] += sum over rows and b of d_y[y_at + b F + f] with SHIFT
//
// Sums run over one tile of 64 rows, then tiles are added in order. Rows beyond the batch count as zero whatever they hold.
//
// Shapes      x tiled [x_features, rows], of gate_sums [blocks F, rows]; y, d_y tiled [y_features, rows]; table, d_table f32.
// Error       gate two roundings; gate_sums (16 blocks + tiles) units in the last place of sum |x d_y| at most (tests/cases/gate-backward.ts).
// Derivative  d x = gate without SHIFT on d y; by the table gate_sums.
// Paper       Grathwohl et al. 2019, arXiv:1810.01367, appendix B.1 (concat-squash layers).

#import "lib/layout.wgsl"
#import "lib/rows-backward.wgsl"

struct Params {
  features: u32, // F
  blocks: u32,
  x_features: u32,
  x_at: u32,
  y_features: u32,
  y_at: u32,
  scale_at: u32,
  shift_at: u32,
}

override SHIFT: bool = false;
override ADD: bool = false;

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> table: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> d_y: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> d_table: array<f32>;

@compute @workgroup_size(16, 4)
fn gate(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x * 4u >= rows() || id.y >= params.features * params.blocks) { return; }
  let f = id.y % params.features;
  var value = x[tiled(params.x_features, id.x) + (params.x_at + id.y) * TILE4] * table[params.scale_at + f];
  if (SHIFT) { value += table[params.shift_at + f]; }
  let at = tiled(params.y_features, id.x) + (params.y_at + id.y) * TILE4;
  if (ADD) { y[at] += value; } else { y[at] = value; }
}

@compute @workgroup_size(64)
fn gate_sums(@builtin(global_invocation_id) id: vec3<u32>) {
  let f = id.x;
  if (f >= params.features) { return; }
  let groups = (rows() + 3u) / 4u;
  var scale = 0.0;
  var shift = 0.0;
  for (var first = 0u; first < groups; first += TILE4) {
    let end = min(first + TILE4, groups);
    var products = vec4<f32>(0.0);
    var plain = vec4<f32>(0.0);
    for (var group = first; group < end; group++) {
      let here = present(group);
      for (var b = 0u; b < params.blocks; b++) {
        let from_ = b * params.features + f;
        let gradient = select(vec4<f32>(0.0), d_y[tiled(params.y_features, group) + (params.y_at + from_) * TILE4], here);
        let value = select(vec4<f32>(0.0), x[tiled(params.x_features, group) + (params.x_at + from_) * TILE4], here);
        products = fma(value, gradient, products);
        plain += gradient;
      }
    }
    scale += dot(products, vec4<f32>(1.0));
    shift += dot(plain, vec4<f32>(1.0));
  }
  d_table[params.scale_at + f] += scale;
  if (SHIFT) { d_table[params.shift_at + f] += shift; }
}
