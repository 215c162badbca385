// What becomes of the sums of lib/linear-quad.wgsl where outputs have nothing to do with each other: the importer says in `finish_at` where each goes.

/// Takes the sums of output o over a chunk: to where they go, or to what there is of other chunks at `into`.
fn take(into: u32, o: u32, own: u32, group: u32, y_at: vec2<u32>, sum$0: vec4<f32>, sum$1: vec4<f32>) {
  #repeat r 0 2:
  if (MORE) { sums[into + $r] += sum$r; } else { keep(o, group + $r * 4, y_at[$r], sum$r); }
  #end;
}

fn finish_block(first_output: u32, last_output: u32, group: u32, y_at: vec2<u32>) {
  if (!MORE) { return; }
  var o = first_output;
  var i = 0u;
  loop {
    #repeat r 0 2:
    keep(o, group + $r * 4, y_at[$r], sums[i + $r]);
    #end;
    continuing {
      o++;
      i += 2u;
      break if o == last_output;
    }
  }
}

/// Rows beyond the batch are written, too: a tile is whole.
fn keep(o: u32, g: u32, y_at: u32, sum: vec4<f32>) {
  if (o < params.outputs) { finish_at(o, g, y_at, sum); }
}
