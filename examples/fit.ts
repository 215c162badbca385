// Training in the page: a RealNVP learns two moons, and the loss of rows that it never saw comes out beside it.
import { fit, type Gpu, realNVP } from 'pushforward';

/** Two interleaved half circles with noise. */
function moons(count: number): Float32Array {
  const x = new Float32Array(2 * count);
  for (let i = 0; i < count; i++) {
    const angle = Math.PI * Math.random();
    const noise = () => 0.1 * Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
    const upper = i % 2 === 0;
    x[2 * i] = (upper ? Math.cos(angle) : 1 - Math.cos(angle)) + noise();
    x[2 * i + 1] = (upper ? Math.sin(angle) : 0.5 - Math.sin(angle)) + noise();
  }
  return x;
}

export default async function example(gpu: Gpu, print: (line: string) => void): Promise<void> {
  const flow = await realNVP(gpu, { dim: 2, layers: 6, hidden: [64, 64], seed: 1 });
  const { loss, validation } = await fit(flow, moons(4000), { steps: 120, batch: 256, learningRate: 5e-3, validation: 0.2 });
  print(`held-out loss ${validation[0]!.loss.toFixed(3)} nats before, ${loss.toFixed(3)} after 120 steps`);
  const samples = await flow.sample(1000, { seed: 1 });
  print(`1000 draws of the trained flow, the first at (${samples[0]!.toFixed(2)}, ${samples[1]!.toFixed(2)})`);
  flow.dispose();
}
