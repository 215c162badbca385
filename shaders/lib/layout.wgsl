// Tiled activations. A tensor of F features holds, for each tile of 64 rows, F runs of 64 consecutive rows: [rows / 64, F, 64].
// Loads are vec4 over rows, consecutive invocations read consecutive addresses, addresses do not depend on the batch, and one
// tile's activations stay within a few pages (a plain [F, rows] layout puts them 4 KiB apart at 1024 rows).
const TILE = 64u;  // rows of a tile
const TILE4 = 16u; // the same in vec4

/// vec4 index of feature 0 of the row group `group` (four rows) in a tensor of `features` features; feature f is f · TILE4 further.
fn tiled(features: u32, group: u32) -> u32 {
  return (group / TILE4) * features * TILE4 + group % TILE4;
}
