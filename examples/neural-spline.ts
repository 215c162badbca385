// A neural spline flow on the line, one on a box and one over angles.
import { type Gpu, neuralSpline } from 'pushforward';

export default async function example(gpu: Gpu, print: (line: string) => void): Promise<void> {
  const flow = await neuralSpline(gpu, { dim: 6, type: 'autoregressive', layers: 3, hidden: [64, 64], bins: 8, seed: 1 });
  const { x, logProb } = await flow.sampleWithLogProb(1000, { seed: 7 }); // x [1000, 6] row-major, logProb [1000] in nats
  const again = await flow.logProb(x);
  const worst = logProb.reduce((most, value, i) => Math.max(most, Math.abs(value - again[i]!)), 0);
  print(`1000 draws; log-density as drawn and when scored differ by at most ${worst.toExponential(1)} nats`);
  flow.dispose();

  const box = await neuralSpline(gpu, { dim: 2, kind: 'cubic', tails: 'none', box: [0, 1], layers: 2, hidden: [32], seed: 2 });
  const [inside, outside] = await box.logProb(Float32Array.of(0.5, 0.5, 0.5, 1.5));
  print(`on the unit square: log-density ${inside!.toFixed(3)} inside, ${outside! < -1e30 ? 'none' : outside} outside`);
  box.dispose();

  const angles = await neuralSpline(gpu, { dim: 2, tails: 'circular', layers: 3, hidden: [32], seed: 3 });
  const [here, turned] = await angles.logProb(Float32Array.of(1, 2, 1 + 2 * Math.PI, 2 - 2 * Math.PI));
  print(`angles: log-density ${here!.toFixed(3)}, after a whole turn ${turned!.toFixed(3)}`);
  angles.dispose();
}
