/// v times a constant that the host split at 12 bits (leading, rest), rounded once, fused fma or not: the leading 12 bits of both
/// factors multiply exactly, and the rest is small (Dekker 1971, doi:10.1007/BF01397083).
fn split_product(v: vec4<f32>, leading: f32, rest: f32) -> vec4<f32> {
  let top = bitcast<vec4<f32>>(bitcast<vec4<u32>>(v) & vec4<u32>(0xfffff000u));
  let product = top * leading + (v * rest + (v - top) * leading);
  // An infinity has no second part: infinity minus infinity is NaN.
  let infinite = (bitcast<vec4<u32>>(v) & vec4<u32>(0x7f800000u)) == vec4<u32>(0x7f800000u);
  return select(product, v * leading, infinite);
}
