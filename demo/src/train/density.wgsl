// Draws log-densities on a square grid as an image, straight from the buffer that the flow wrote.

struct View {
  paper: vec4<f32>,
  ink: vec4<f32>,
  side: u32,
  // 1 shades by the log-density, 0 by the density.
  logarithmic: u32,
}

@group(0) @binding(0) var<uniform> view: View;
// Row-major from the top left.
@group(0) @binding(1) var<storage, read> log_prob: array<f32>;
@group(0) @binding(2) var<storage, read> level: array<f32>;

// Nats below the level at which the logarithmic picture is paper.
const DEPTH = 9.0;

struct Corner {
  @builtin(position) position: vec4<f32>,
  @location(0) at: vec2<f32>,
}

@vertex
fn corner(@builtin(vertex_index) vertex: u32) -> Corner {
  let unit = vec2<f32>(f32(vertex & 1u), f32(vertex >> 1u));
  return Corner(vec4<f32>(unit.x * 2.0 - 1.0, 1.0 - unit.y * 2.0, 0.0, 1.0), unit);
}

fn shade_of(cell: vec2<f32>) -> f32 {
  let inside = vec2<u32>(clamp(cell, vec2<f32>(0.0), vec2<f32>(f32(view.side - 1u))));
  let above = log_prob[inside.y * view.side + inside.x] - level[0];
  // Not a number: paper.
  if (!(above > -1e30)) { return 0.0; }
  if (view.logarithmic != 0u) { return clamp((above + DEPTH) / (DEPTH + 1.0), 0.0, 1.0); }
  return 1.0 - exp(-1.5 * exp(min(above, 10.0)));
}

@fragment
fn shade(in: Corner) -> @location(0) vec4<f32> {
  let from_middle = in.at * f32(view.side) - 0.5;
  let low = floor(from_middle);
  let weight = from_middle - low;
  let top = mix(shade_of(low), shade_of(low + vec2<f32>(1.0, 0.0)), weight.x);
  let bottom = mix(shade_of(low + vec2<f32>(0.0, 1.0)), shade_of(low + 1.0), weight.x);
  return vec4<f32>(mix(view.paper.rgb, view.ink.rgb, mix(top, bottom, weight.y)), 1.0);
}
