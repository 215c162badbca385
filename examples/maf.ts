// A masked autoregressive flow: density in one pass, sampling in one pass as well.
import { type Gpu, maf } from 'pushforward';

export default async function example(gpu: Gpu, print: (line: string) => void): Promise<void> {
  const flow = await maf(gpu, { dim: 6, layers: 5, hidden: [128, 128], seed: 1 });
  const { x, logProb } = await flow.sampleWithLogProb(1000, { seed: 7 }); // x [1000, 6] row-major, logProb [1000] in nats
  const again = await flow.logProb(x);
  const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  print(`1000 draws, mean log-density ${mean(logProb).toFixed(3)} nats as drawn, ${mean(again).toFixed(3)} when scored`);
  flow.dispose();
}
