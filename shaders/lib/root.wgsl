/// Square root to half a unit in the last place or so: a Newton step on the built-in, which may be 4 off.
fn root(v: vec4<f32>) -> vec4<f32> {
  let r = sqrt(v);
  return select(r, r + 0.5 * fma(-r, r, v) / r, (v > vec4<f32>(0.0)) & (v < vec4<f32>(3e38)));
}
