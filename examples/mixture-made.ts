// A density whose conditionals are mixtures of Gaussians, alone and as the end of a masked autoregressive flow.
import { type Gpu, mademog, maf } from 'pushforward';

export default async function example(gpu: Gpu, print: (line: string) => void): Promise<void> {
  const density = await mademog(gpu, { dim: 2, components: 5, hidden: [64, 64], seed: 3 });
  const side = 200;
  const cell = 24 / side;
  const points = Float32Array.from({ length: side * side * 2 }, (_, i) => {
    const place = i % 2 === 0 ? Math.floor(i / 2 / side) : Math.floor(i / 2) % side;
    return -12 + cell * (place + 0.5);
  });
  const mass = (await density.logProb(points)).reduce((sum, value) => sum + Math.exp(value) * cell * cell, 0);
  print(`MADE MoG, 5 components a conditional: the density integrates to ${mass.toFixed(4)}`);
  density.dispose();

  const flow = await maf(gpu, { dim: 6, layers: 4, hidden: [64, 64], output: { mixture: 5 }, seed: 1 }); // mixtures next to the noise
  const x = await flow.sample(1000, { seed: 7 });
  const { z } = await flow.forward(x);
  const deviation = Math.sqrt(z.reduce((sum, value) => sum + value * value, 0) / z.length);
  print(`MAF MoG: 1000 draws go back to noise of deviation ${deviation.toFixed(3)}`);
  flow.dispose();
}
