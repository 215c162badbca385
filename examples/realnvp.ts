// RealNVP on images of 1 × 8 × 8: a checkerboard of pixels moves by the others, layer by layer.
import { type Gpu, realNVP } from 'pushforward';

export default async function example(gpu: Gpu, print: (line: string) => void): Promise<void> {
  const flow = await realNVP(gpu, {
    dim: 64,
    layers: 6,
    hidden: [128, 128],
    masking: 'checkerboard',
    shape: [1, 8, 8], // channels, height, width
    scale: { form: 'clamp', low: -5, high: 3 },
    seed: 1,
  });
  const x = await flow.sample(256, { seed: 7 }); // [256, 64], each row an image
  const { z, logDet } = await flow.forward(x);
  const { x: back } = await flow.inverse(z);
  const worst = back.reduce((most, value, i) => Math.max(most, Math.abs(value - x[i]!)), 0);
  print(`256 images there and back: ${worst.toExponential(0)} off at most; log-det of the first ${logDet[0]!.toFixed(3)} nats`);
  flow.dispose();
}
