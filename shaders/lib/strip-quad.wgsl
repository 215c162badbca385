// Weights of a strip of units by four inputs, shared by the four invocations of a quad: each loads those of two units, and three swaps bring the others, in
// an order of units that is each invocation's own. lib/strip.wgsl is the other way.

struct Strip {
  low: mat4x4<f32>, // a column for each of four units
  high: mat4x4<f32>,
}

var<private> own: u32; // which of its quad an invocation is

/// Weights of one unit by four inputs.
fn weights_of_unit(at: vec4<u32>, unit: u32) -> vec4<f32> {
  let one = at * 4u + vec4<u32>(unit);
  return vec4<f32>(weight_at(one.x), weight_at(one.y), weight_at(one.z), weight_at(one.w));
}

/// `at`: the first vec4 of weights of each input. `fours`: vec4 an input, 2 or 1; of a strip of four units, two invocations load the same.
fn strip_at(at: vec4<u32>, fours: u32) -> Strip {
  let four = at + vec4<u32>((own >> 1u) * (fours - 1u));
  let a = weights_of_unit(four, (own & 1u) * 2u);
  let b = weights_of_unit(four, (own & 1u) * 2u + 1u);
  return Strip(
    mat4x4<f32>(a, b, quadSwapX(a), quadSwapX(b)),
    mat4x4<f32>(quadSwapY(a), quadSwapY(b), quadSwapDiagonal(a), quadSwapDiagonal(b)),
  );
}

/// The unit of a column, or of a place behind it.
fn unit_at(place: u32, width: u32) -> u32 { return (place ^ (own * 2u)) & (width - 1u); }

/// The same of a strip of 4: each invocation loads one unit's.
fn narrow_strip_at(at: vec4<u32>) -> mat4x4<f32> {
  let a = weights_of_unit(at, own);
  return mat4x4<f32>(a, quadSwapX(a), quadSwapY(a), quadSwapDiagonal(a));
}

fn narrow_unit_at(place: u32) -> u32 { return place ^ own; }
