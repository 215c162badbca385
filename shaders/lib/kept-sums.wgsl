// All sums of lib/linear-quad.wgsl stay where they are, until the importer's `finish_block` reads them: up to 128 outputs.

fn take(into: u32, o: u32, own: u32, group: u32, y_at: vec2<u32>, sum$0: vec4<f32>, sum$1: vec4<f32>) {
  #repeat r 0 2:
  if (MORE) { sums[into + $r] += sum$r; } else { sums[into + $r] = sum$r; }
  #end;
}

/// Output o of row group r.
fn sum_of(o: u32, r: u32) -> vec4<f32> { return sums[o * 2u + r]; }
