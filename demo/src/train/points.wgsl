// Draws rows of a row-major buffer as points, two of their columns across and up.

struct View {
  ink: vec4<f32>,
  low: vec2<f32>,
  high: vec2<f32>,
  // Half the side of a point's square, as a share of half the canvas.
  radius: vec2<f32>,
  width: u32,
  across: u32,
  up: u32,
}

@group(0) @binding(0) var<uniform> view: View;
@group(0) @binding(1) var<storage, read> rows: array<f32>;

struct Corner {
  @builtin(position) position: vec4<f32>,
  @location(0) at: vec2<f32>,
}

// A height for rows of one column, the same whenever it is drawn.
fn scattered(row: u32) -> f32 {
  var h = row * 0x9e3779b9u;
  h = (h ^ (h >> 16u)) * 0x85ebca6bu;
  return f32((h ^ (h >> 13u)) >> 8u) / 16777216.0;
}

@vertex
fn corner(@builtin(vertex_index) vertex: u32, @builtin(instance_index) row: u32) -> Corner {
  let unit = vec2<f32>(f32(vertex & 1u), f32(vertex >> 1u)) * 2.0 - 1.0;
  let x = (rows[row * view.width + view.across] - view.low.x) / (view.high.x - view.low.x);
  var y = 0.15 + 0.7 * scattered(row);
  if (view.width > 1u) { y = (rows[row * view.width + view.up] - view.low.y) / (view.high.y - view.low.y); }
  var middle = vec2<f32>(x, y) * 2.0 - 1.0;
  // Not a number, or far off: nowhere.
  if (!(all(abs(middle) < vec2<f32>(4.0)))) { middle = vec2<f32>(9.0); }
  return Corner(vec4<f32>(middle + unit * view.radius, 0.0, 1.0), unit);
}

@fragment
fn shade(in: Corner) -> @location(0) vec4<f32> {
  let alpha = view.ink.a * (1.0 - smoothstep(0.6, 1.0, length(in.at)));
  return vec4<f32>(view.ink.rgb * alpha, alpha);
}
