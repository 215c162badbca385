// Which form of a kernel is the fastest depends on the adapter: measure once, and every later visit finds the choice.
import { type Gpu, maf } from 'pushforward';

export default async function example(gpu: Gpu, print: (line: string) => void): Promise<void> {
  const flow = await maf(gpu, { dim: 8, layers: 2, hidden: [128, 128], seed: 1 });
  const before = await flow.sample(256, { seed: 7 });
  const report = await gpu.tune({ rows: [1, 256], remember: false }); // single rows, and batches of 256; `remember` (default) keeps the choice
  print(String(report));
  const after = await flow.sample(256, { seed: 7 });
  const worst = before.reduce((most, value, i) => Math.max(most, Math.abs(value - after[i]!)), 0);
  print(`draws differ by at most ${worst.toExponential(0)}, which is rounding`);
  flow.dispose();
}
