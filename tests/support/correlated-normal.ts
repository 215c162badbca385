// A target that training without data knows the answer to.

/** N(μ, Σ) times e³, with μ = (1, −2), and Σ⁻¹ = [[2, 1], [1, 3]]. */
export const CORRELATED_NORMAL = `
fn log_density(x: array<f32, D>) -> f32 {
  let a = x[0] - 1.0;
  let b = x[1] + 2.0;
  return 3.0 - 0.5 * (2.0 * a * a + 2.0 * a * b + 3.0 * b * b);
}
fn log_density_gradient(x: array<f32, D>) -> array<f32, D> {
  let a = x[0] - 1.0;
  let b = x[1] + 2.0;
  return array<f32, D>(-(2.0 * a + b), -(a + 3.0 * b));
}`;
/** log of ∫: 3 + log 2π − ½ log det Σ⁻¹. */
export const LOG_Z = 3 + Math.log(2 * Math.PI) - 0.5 * Math.log(5);
