// A planar flow with a true inverse: points that it never drew are scored, not only its own samples.
import { type Gpu, planar } from 'pushforward';

export default async function example(gpu: Gpu, print: (line: string) => void): Promise<void> {
  const flow = await planar(gpu, { dim: 2, layers: 16, seed: 1 });
  const grid = Float32Array.from({ length: 2 * 9 }, (_, i) => (i % 2 === 0 ? Math.floor(i / 2) % 3 : Math.floor(i / 6)) - 1); // [9, 2]
  const { z, logDet } = await flow.forward(grid); // solves 16 scalar equations a row
  const { x } = await flow.inverse(z);
  const worst = Math.max(...x.map((value, i) => Math.abs(value - grid[i]!)));
  print(`log|det dz/dx| at the centre ${logDet[4]!.toFixed(3)}; there and back within ${worst.toExponential(0)}`);

  const amortised = await planar(gpu, { dim: 2, layers: 4, contextDim: 3, hidden: [32], seed: 2 });
  const context = Float32Array.of(1, 0, 0, 0, 1, 0); // [2, 3]: each row has layers of its own
  const draws = await amortised.sample(2, { seed: 7, context });
  print(`a draw for each context: (${draws.slice(0, 2).join(', ')}) and (${draws.slice(2).join(', ')})`);
  flow.dispose();
  amortised.dispose();
}
