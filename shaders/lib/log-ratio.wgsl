#import "lib/math.wgsl"

/// log(1 + v), where `whole` is 1 + v computed without the cancellation that v near −1 would bring.
fn log_one_plus(v: vec4<f32>, whole: vec4<f32>) -> vec4<f32> {
  return select(accurate_log1p(v), accurate_log(whole), v < vec4<f32>(-0.5));
}
