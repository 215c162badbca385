// A continuous flow: the same field solved with equal steps, with error control, and with an estimated divergence.
import { ffjord, type Gpu } from 'pushforward';

export default async function example(gpu: Gpu, print: (line: string) => void): Promise<void> {
  const field = { dim: 3, hidden: [32, 32], seed: 1 };
  const flow = await ffjord(gpu, field); // dopri5, 16 steps
  const adaptive = await ffjord(gpu, { ...field, solver: { method: 'dopri5-adaptive', rtol: 1e-4, atol: 1e-4 } });
  const estimated = await ffjord(gpu, { ...field, divergence: { estimator: 'rademacher', probes: 4 } });

  const x = await flow.sample(500, { seed: 7 }); // [500, 3] row-major
  const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const exact = await flow.logProb(x); // [500] nats
  print(`mean log-density of 500 draws: ${mean(exact).toFixed(4)} nats with 16 equal steps`);
  print(`${mean(await adaptive.logProb(x)).toFixed(4)} with steps by error control`);
  print(`${mean(await estimated.logProb(x, { seed: 3 })).toFixed(4)} with the trace estimated from 4 probes`);

  const { z } = await flow.forward(x);
  const { x: back } = await flow.inverse(z);
  const error = x.reduce((most, value, i) => Math.max(most, Math.abs(value - back[i]!)), 0);
  print(`there and back: ${error < 1e-4 ? 'the same points' : `off by ${error}`}`);
  for (const done of [flow, adaptive, estimated]) done.dispose();
}
