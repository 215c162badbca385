// A variational autoencoder with an inverse autoregressive posterior: bits of two patterns, with noise.
import { decoder, type Gpu, iaf, variational } from 'pushforward';

const patterns = ['111000111', '001111100'];

/** Rows of nine bits, each of which flips with probability 0.05. */
const draw = (rows: number): Float32Array =>
  Float32Array.from({ length: 9 * rows }, (_, at) => {
    const bit = Number(patterns[Math.floor(at / 9) % 2]![at % 9]);
    return Math.random() < 0.05 ? 1 - bit : bit;
  });

export default async function example(gpu: Gpu, print: (line: string) => void): Promise<void> {
  const encoder = { type: 'conditional_normal', hidden: [32] } as const;
  const posterior = await iaf(gpu, { dim: 2, contextDim: 9, layers: 2, hidden: [16], base: encoder, seed: 1 });
  const model = await variational({ posterior, decoder: await decoder(gpu, { dim: 9, contextDim: 2, hidden: [32], seed: 2 }) });
  await model.fit(draw(2000), { steps: 400, batch: 128, learningRate: 1e-2 });
  const bound = await model.bound(draw(500), { samples: 32, seed: 1 });
  const mean = bound.reduce((sum, value) => sum + value, 0) / 500;
  // Entropy: one bit for the pattern, and nine flips.
  const flip = -(0.05 * Math.log(0.05) + 0.95 * Math.log(0.95));
  print(`log p of fresh rows at least ${mean.toFixed(2)} nats; the density itself has about ${(-Math.log(2) - 9 * flip).toFixed(2)}`);
  const x = await model.sample(3, { seed: 1 });
  for (let row = 0; row < 3; row++) print(`a draw: ${x.subarray(9 * row, 9 * row + 9).join('')}`);
  model.dispose();
}
