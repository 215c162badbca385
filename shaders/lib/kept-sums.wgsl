// All sums of lib/linear-quad.wgsl stay where they are, until the importer's `finish_block` reads them: up to 128 outputs.

fn take(into: u32, o: u32, own: u32, group: u32, y_at: vec2<u32>) {
  #repeat i 0 8:
  if (MORE) { sums[into + $i] += product[$i]; } else { sums[into + $i] = product[$i]; }
  #end;
}

/// Output o of row group r.
fn sum_of(o: u32, r: u32, own: u32) -> vec4<f32> { return sums[(o / 4u * 4u + ((o ^ own) & 3u)) * 2u + r]; }
