// Series: the log-density of each step given those before it, and draws of what comes next.
import { type Gpu, temporalMaf } from 'pushforward';

export default async function example(gpu: Gpu, print: (line: string) => void): Promise<void> {
  // Four series of 48 hours, two features each, with the hour of the day as covariates that all series share.
  const [batch, time, steps, dim] = [4, 48, 12, 2];
  const hour = (t: number) => [Math.sin((2 * Math.PI * t) / 24), Math.cos((2 * Math.PI * t) / 24)];
  const covariates = Float32Array.from(Array.from({ length: time + steps }, (_, t) => hour(t)).flat());
  const series = Float32Array.from({ length: batch * time * dim }, (_, i) => {
    const t = Math.floor(i / dim) % time;
    return (1 + (i % dim)) * (2 + hour(t)[i % dim]!);
  });

  const flow = await temporalMaf(gpu, { dim, hidden: 32, covariates: 2, scaling: 'mean', flow: { layers: 3, hidden: [64] }, seed: 1 });
  const past = covariates.subarray(0, time * 2);
  const { logProb, perStep } = await flow.logProb(series, { time, covariates: past });
  print(
    `series 0: ${logProb[0]!.toFixed(2)} nats in all, ${perStep[0]!.toFixed(2)} at the first step, ${perStep[time - 1]!.toFixed(2)} at the last`,
  );

  const samples = 200;
  const next = await flow.sampleContinuation(series, steps, {
    time,
    samples,
    seed: 7,
    covariates: past,
    futureCovariates: covariates.subarray(time * 2),
  });
  // [samples, batch, steps, dim]: quantiles of feature 0 of series 0 at the first and the last step.
  for (const step of [0, steps - 1]) {
    const values = Float32Array.from({ length: samples }, (_, s) => next[(s * batch * steps + step) * dim]!).sort();
    const [low, middle, high] = [0.1, 0.5, 0.9].map((q) => values[Math.floor(q * samples)]!.toFixed(2));
    print(`${step + 1} h ahead: ${middle}, between ${low} and ${high} in four draws of five`);
  }
  flow.dispose();
}
