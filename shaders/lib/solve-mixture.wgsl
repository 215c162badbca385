// What a sequential solve with a mixture of Gaussians does to a feature.

#import "lib/mixture.wgsl"

fn transform(z: vec4<f32>, parameters_at: u32, stride: u32) -> Moved {
  normalise(parameters_at, stride);
  return invert_mixture(z, parameters_at, stride);
}
