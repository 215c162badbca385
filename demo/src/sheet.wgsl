// Draws samples of the flow as images of 8 x 8 pixels, straight from the buffers that the flow wrote.

struct View {
  paper: vec4<f32>,
  ink: vec4<f32>,
  canvas: vec2<f32>,
  pitch: vec2<f32>,
  image: f32,
  // 0 shows the batch before, 1 the present one.
  blend: f32,
  columns: u32,
  first: u32,
  // 1 draws a smooth picture through the middles of the 64 squares, 0 the squares.
  smoothed: f32,
}

@group(0) @binding(0) var<uniform> view: View;
// Standard deviation and mean of each pixel's logit in the training data.
@group(0) @binding(1) var<storage, read> standardised_by: array<vec2<f32>, 64>;
@group(0) @binding(2) var<storage, read> before: array<f32>;
@group(0) @binding(3) var<storage, read> before_order: array<u32>;
@group(0) @binding(4) var<storage, read> samples: array<f32>;
@group(0) @binding(5) var<storage, read> order: array<u32>;

struct Corner {
  @builtin(position) position: vec4<f32>,
  @location(0) pixel: vec2<f32>,
  @location(1) @interpolate(flat) cell: u32,
}

@vertex
fn corner(@builtin(vertex_index) vertex: u32, @builtin(instance_index) instance: u32) -> Corner {
  let unit = vec2<f32>(f32(vertex & 1u), f32(vertex >> 1u));
  let place = vec2<f32>(f32(instance % view.columns), f32(instance / view.columns));
  // Whole device pixels: all 64 squares of an image come out equally large.
  let at = (floor(place * view.pitch + 0.5) + unit * view.image) / view.canvas;
  return Corner(vec4<f32>(at.x * 2.0 - 1.0, 1.0 - at.y * 2.0, 0.0, 1.0), unit * 8.0, instance + view.first);
}

// The model was trained on logit(0.05 + 0.9 (level + noise) / 17), standardised pixel by pixel; this is the way back, to level / 16.
fn grey(value: f32, pixel: u32) -> f32 {
  let logit = value * standardised_by[pixel].x + standardised_by[pixel].y;
  let unit = (1.0 / (1.0 + exp(-logit)) - 0.05) / 0.9;
  return clamp(floor(17.0 * unit), 0.0, 16.0) / 16.0;
}

fn square(cell: u32, at: vec2<f32>) -> f32 {
  let inside = vec2<u32>(clamp(at, vec2<f32>(0.0), vec2<f32>(7.0)));
  let pixel = inside.y * 8u + inside.x;
  let present = samples[order[cell] * 64u + pixel];
  let past = before[before_order[cell] * 64u + pixel];
  return grey(mix(past, present, view.blend), pixel);
}

@fragment
fn shade(in: Corner) -> @location(0) vec4<f32> {
  var level: f32;
  if (view.smoothed == 0.0) {
    level = square(in.cell, floor(in.pixel));
  } else {
    let from_middle = in.pixel - 0.5;
    let low = floor(from_middle);
    let weight = smoothstep(vec2<f32>(0.0), vec2<f32>(1.0), from_middle - low);
    let above = mix(square(in.cell, low), square(in.cell, low + vec2<f32>(1.0, 0.0)), weight.x);
    let below = mix(square(in.cell, low + vec2<f32>(0.0, 1.0)), square(in.cell, low + 1.0), weight.x);
    level = mix(above, below, weight.y);
  }
  return mix(view.paper, view.ink, level);
}
