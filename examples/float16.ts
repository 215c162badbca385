// Weights in float16: half of what a page downloads and keeps on the device. What that costs in log p is measured here.
import { type Gpu, loadFlow, maf } from 'pushforward';

export default async function example(gpu: Gpu, print: (line: string) => void): Promise<void> {
  const flow = await maf(gpu, { dim: 8, layers: 3, hidden: [64, 64], seed: 1 });
  const whole = await flow.save();
  const file = await flow.save({ weights: 'float16' });
  print(`${whole.length} bytes in float32, ${file.length} in float16`);
  const narrow = await loadFlow(gpu, file);
  const x = await flow.sample(1000, { seed: 2 });
  const [exact, rounded] = await Promise.all([flow.logProb(x), narrow.logProb(x)]);
  const errors = Array.from(exact, (value, i) => Math.abs(value - rounded[i]!)).sort((a, b) => a - b);
  print(`log p moves by ${errors[500]!.toExponential(1)} nats in the median row, ${errors[999]!.toExponential(1)} at most`);
  flow.dispose();
  narrow.dispose();
}
