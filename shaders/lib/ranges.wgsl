// Runs of inputs that masks let through, by strips of 8 outputs; the importer binds `ranges`.

/// First input of a strip and one past the last; [0, 0] where it reads none.
fn ranges_of(strip: u32) -> vec2<u32> { return vec2<u32>(ranges[strip * 2u], ranges[strip * 2u + 1u]); }

fn union_of(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  if (a.y == 0u) { return b; }
  if (b.y == 0u) { return a; }
  return vec2<u32>(min(a.x, b.x), max(a.y, b.y));
}
