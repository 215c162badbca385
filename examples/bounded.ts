// Data with ends: a fraction in (0, 1), a positive duration and an unbounded score, under one flow.
import { bounded, type Gpu, loadFlow, maf } from 'pushforward';

export default async function example(gpu: Gpu, print: (line: string) => void): Promise<void> {
  const line = await maf(gpu, { dim: 3, layers: 3, hidden: [32, 32], seed: 1 });
  const flow = bounded(line, { low: [0, 0, null], high: [1, null, null] });
  const { x, logProb } = await flow.sampleWithLogProb(1000, { seed: 7 }); // [1000, 3]
  const column = (feature: number) => Array.from({ length: 1000 }, (_, row) => x[row * 3 + feature]!);
  for (const [feature, name] of ['fraction', 'duration', 'score'].entries())
    print(`${name}: ${Math.min(...column(feature)).toFixed(3)} to ${Math.max(...column(feature)).toFixed(3)}`);
  const loaded = await loadFlow(gpu, await flow.save());
  const again = await loaded.logProb(x);
  const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  print(`mean log-density ${mean(logProb).toFixed(3)} nats as drawn, ${mean(again).toFixed(3)} when scored after loading`);
  for (const one of [line, flow, loaded]) one.dispose();
}
