// What becomes of the sums of lib/linear-quad.wgsl where outputs have nothing to do with each other: the importer says in `finish_at` where each goes.

/// Takes the sum of output o over a chunk: to where it goes, or to what there is of other chunks at `into`.
fn take(into: u32, o: u32, g: u32, y_at: u32, sum: vec4<f32>) {
  if (MORE) { sums[into] += sum; } else { keep(o, g, y_at, sum); }
}

fn finish_block(first_output: u32, last_output: u32, own: u32, group: u32, y_at: vec2<u32>) {
  if (!MORE) { return; }
  let last = (last_output - first_output + 3u) / 4u * 8u;
  var i = 0u;
  loop {
    keep(first_output + ((i >> 1u) & ~3u) + (own ^ ((i >> 1u) & 3u)), group + (i & 1u) * 4u, select(y_at.x, y_at.y, (i & 1u) == 1u), sums[i]);
    continuing {
      i++;
      break if i == last;
    }
  }
}

/// Rows beyond the batch are written, too: a tile is whole.
fn keep(o: u32, g: u32, y_at: u32, sum: vec4<f32>) {
  if (o < params.outputs) { finish_at(o, g, y_at, sum); }
}
