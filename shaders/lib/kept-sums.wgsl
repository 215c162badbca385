// All sums of lib/linear-quad.wgsl stay where they are, until the importer's `finish_block` reads them: up to 128 outputs.

fn take(into: u32, o: u32, g: u32, y_at: u32, sum: vec4<f32>) {
  if (MORE) { sums[into] += sum; } else { sums[into] = sum; }
}

/// Output o of row group r.
fn sum_of(o: u32, r: u32, own: u32) -> vec4<f32> { return sums[(o ^ (own & 3u)) * 2u + r]; }
