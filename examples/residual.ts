// A residual flow: x + g(x) with a contraction g. Density has an exact log-det, or an unbiased estimate of it.
import { type Gpu, residual } from 'pushforward';

export default async function example(gpu: Gpu, print: (line: string) => void): Promise<void> {
  const options = { dim: 4, layers: 3, hidden: [32, 32], seed: 1 };
  const exact = await residual(gpu, options);
  const { x, logProb } = await exact.sampleWithLogProb(1000, { seed: 7 }); // solves x + g(x) = z, row by row, on the GPU
  const { z } = await exact.forward(x);
  const { x: again } = await exact.inverse(z);
  const error = again.reduce((worst, value, i) => Math.max(worst, Math.abs(value - x[i]!)), 0);
  print(`1000 draws; forward and inverse close to ${error.toExponential(1)}`);

  const estimated = await residual(gpu, { ...options, logDet: { roulette: 'geometric' } }); // the same weights
  const estimates = await estimated.logProb(x, { seed: 3 });
  const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  print(`mean log-density ${mean(logProb).toFixed(3)} nats exactly, ${mean(estimates).toFixed(3)} by Russian roulette`);
  exact.dispose();
  estimated.dispose();
}
