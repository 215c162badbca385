// A flow for a density without data: a banana, known up to its constant.
import { fitTarget, type Gpu, realNVP } from 'pushforward';

export default async function example(gpu: Gpu, print: (line: string) => void): Promise<void> {
  const flow = await realNVP(gpu, { dim: 2, layers: 6, hidden: [32], seed: 1 });
  const wgsl = `
    fn log_density(x: array<f32, D>) -> f32 {
      let b = x[1] - 0.5 * x[0] * x[0];
      return -0.5 * (x[0] * x[0] / 4.0 + 4.0 * b * b);
    }
    fn log_density_gradient(x: array<f32, D>) -> array<f32, D> {
      let b = x[1] - 0.5 * x[0] * x[0];
      return array<f32, D>(-x[0] / 4.0 + 4.0 * b * x[0], -4.0 * b);
    }`;
  const { logZ, efficiency } = await fitTarget(flow, { wgsl }, { steps: 300, batch: 128, learningRate: 1e-2, seed: 1 });
  print(
    `log Z ${logZ.toFixed(3)}, exactly ${Math.log(2 * Math.PI).toFixed(3)}; ${(100 * efficiency).toFixed(0)} % of the draws are effective`,
  );
  flow.dispose();
}
