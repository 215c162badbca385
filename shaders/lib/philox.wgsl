// Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011, doi:10.1145/2063384.2063405) and what flows draw from it.
//
// Error    philox and uniform01 none; normals below 1e-6 relative, at every pair of words tried, the extreme ones among them.

#import "lib/math.wgsl"

/// High 32 bits of a · b, from four products of 16-bit halves: WGSL has no wider multiply.
fn multiply_high(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  let sixteen = vec2<u32>(16u);
  let low_mask = vec2<u32>(0xffffu);
  let a_low = a & low_mask;
  let a_high = a >> sixteen;
  let b_low = b & low_mask;
  let b_high = b >> sixteen;
  // Neither sum can wrap: 65535² + 2 · 65535 = 2^32 − 1.
  let middle = a_high * b_low + ((a_low * b_low) >> sixteen);
  let other = a_low * b_high + (middle & low_mask);
  return a_high * b_high + (middle >> sixteen) + (other >> sixteen);
}

fn philox(counter: vec4<u32>, key: vec2<u32>) -> vec4<u32> {
  let multipliers = vec2<u32>(0xd2511f53u, 0xcd9e8d57u);
  var c = counter;
  var k = key;
  for (var round = 0u; round < 10u; round++) {
    let high = multiply_high(multipliers, c.xz);
    let low = multipliers * c.xz;
    c = vec4<u32>(high.y ^ c.y ^ k.x, low.y, high.x ^ c.w ^ k.y, low.x);
    k += vec2<u32>(0x9e3779b9u, 0xbb67ae85u); // wraps; golden ratio and sqrt(3) − 1
  }
  return c;
}

/// (⌊b / 2^9⌋ + ½) / 2^23: 2^23 equally likely values, each exact, all inside (0, 1). One more bit would round the last one to 1.
fn uniform01(bits: vec4<u32>) -> vec4<f32> {
  return (vec4<f32>(bits & vec4<u32>(0xfffffe00u)) + 256.0) * 2.3283064365386963e-10;
}

/// Uniform numbers 4 number to 4 number + 3 of four rows from `row` on: column k holds number k, a lane a row.
fn uniforms_of_rows(row: u32, number: u32, key: vec2<u32>) -> mat4x4<f32> {
  return transpose(mat4x4<f32>(
    uniform01(philox(vec4<u32>(row, number, 0u, 0u), key)),
    uniform01(philox(vec4<u32>(row + 1u, number, 0u, 0u), key)),
    uniform01(philox(vec4<u32>(row + 2u, number, 0u, 0u), key)),
    uniform01(philox(vec4<u32>(row + 3u, number, 0u, 0u), key)),
  ));
}

/// sqrt(−2 log((b + ½) / 2^32)): the radius of a pair of normals, from 6.76 (b = 0) down to 1.5e-5. Where the argument is at least 3/4
/// its complement (2^32 − b − ½) / 2^32 is what f32 holds accurately, and log(1 − v) is the polynomial alone.
fn normal_radius(bits: vec4<u32>) -> vec4<f32> {
  let near_one = bits >= vec4<u32>(0xc0000000u);
  let v = (vec4<f32>(select(bits, ~bits, near_one)) + 0.5) * 2.3283064365386963e-10;
  let exponent = select(log_exponent(v), vec4<u32>(0u), near_one);
  let f = select(bitcast<vec4<f32>>(bitcast<vec4<u32>>(v) - exponent) - 1.0, -v, near_one);
  return sqrt(-2.0 * log_combine(exponent, f));
}

struct NormalPairs {
  first: vec4<f32>,  // r cos
  second: vec4<f32>, // r sin
}

/// Box and Muller (1958, doi:10.1214/aoms/1177706645): four pairs of independent standard normals from eight random words.
fn normal_pairs(radius_bits: vec4<u32>, angle_bits: vec4<u32>) -> NormalPairs {
  let radius = normal_radius(radius_bits);
  let angle = sin_cos_2pi(angle_bits);
  return NormalPairs(radius * angle.cos, radius * angle.sin);
}

/// Four standard normals from one Philox block: a pair from (x, y) and a pair from (z, w). Lanes z and w of the pairs are not read,
/// so a compiler that works by component drops them; normal_pairs fills all lanes from two blocks.
fn normals(bits: vec4<u32>) -> vec4<f32> {
  let pairs = normal_pairs(bits.xzxz, bits.ywyw);
  return vec4<f32>(pairs.first.x, pairs.second.x, pairs.first.y, pairs.second.y);
}
