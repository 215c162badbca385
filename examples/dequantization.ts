// Integers under a continuous flow: a bound on their probability by uniform noise, and by noise that a second flow draws.
import { dequantize, type Gpu, realNVP } from 'pushforward';

export default async function example(gpu: Gpu, print: (line: string) => void): Promise<void> {
  const dim = 16;
  const scale = { form: 'tanh', bound: 0.5 } as const;
  const flow = await realNVP(gpu, { dim, layers: 4, scale, support: 'unit', seed: 1 }); // a density on (0, 1)^16
  const noise = await realNVP(gpu, { dim, layers: 2, scale, contextDim: dim, seed: 2 }); // untrained, conditioned on the integers
  const uniform = dequantize({ flow, levels: 17 });
  const variational = dequantize({ flow, levels: 17, noise });
  const k = await uniform.sample(500, { seed: 3 }); // [500, 16], integers 0 … 16
  const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  for (const samples of [1, 16]) {
    const [plain, learned] = [await uniform.bitsPerDim(k, { seed: 4, samples }), await variational.bitsPerDim(k, { seed: 4, samples })];
    print(`${samples} noise draws: ${mean(plain).toFixed(3)} bits a feature by uniform noise, ${mean(learned).toFixed(3)} by the flow's`);
  }
  print(`a uniform guess takes ${Math.log2(17).toFixed(3)}`);
  for (const object of [uniform, variational, flow, noise]) object.dispose();
}
