// A base whose mean and scale come from the context: where the latents are, the context says before any layer does.
import { type Gpu, realNVP } from 'pushforward';

export default async function example(gpu: Gpu, print: (line: string) => void): Promise<void> {
  const flow = await realNVP(gpu, { dim: 2, layers: 4, contextDim: 1, linear: 'lu', base: { type: 'conditional_normal' }, seed: 1 });
  for (const c of [-2, 0, 2]) {
    const { x, logProb } = await flow.sampleWithLogProb(2000, { seed: 7, context: Float32Array.of(c) }); // x [2000, 2]
    const { z } = await flow.forward(x, { context: Float32Array.of(c) });
    const mean = (values: Float32Array, first: number, step: number) =>
      values.filter((_, i) => i % step === first).reduce((sum, value) => sum + value, 0) / (values.length / step);
    const centre = [0, 1].map((feature) => mean(z, feature, 2).toFixed(2)).join(', ');
    print(`context ${c}: latents around (${centre}), mean log-density ${mean(logProb, 0, 1).toFixed(3)} nats`);
  }
  flow.dispose();
}
