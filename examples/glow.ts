// Glow over images: ActNorm starts from data, densities in bits a dimension, and a class for each draw.
import { type Gpu, glow } from 'pushforward';

const [height, width, count] = [8, 8, 200];

/** Grey waves, noisy, [count, 1, 8, 8]. */
function images(): Float32Array {
  const wave = (i: number, y: number, x: number) => 0.5 + 0.3 * Math.sin(0.7 * x + 0.3 * y + i) + 0.1 * Math.sin(37 * i + 11 * y + 5 * x);
  return Float32Array.from({ length: count * height * width }, (_, at) =>
    wave(Math.floor(at / (height * width)), Math.floor(at / width) % height, at % width),
  );
}

export default async function example(gpu: Gpu, print: (line: string) => void): Promise<void> {
  const data = images();
  const shape = [1, height, width] as const;
  const bits = (logProb: Float32Array) => -logProb.reduce((sum, value) => sum + value, 0) / (logProb.length * height * width * Math.LN2);

  const plain = await glow(gpu, { shape, levels: 2, steps: 4, hidden: [32, 32], seed: 1 });
  print(`fresh: ${bits(await plain.logProb(data)).toFixed(2)} bits a dimension`);
  const started = await glow(gpu, { shape, levels: 2, steps: 4, hidden: [32, 32], seed: 1, data });
  print(`ActNorm started from data: ${bits(await started.logProb(data)).toFixed(2)} bits a dimension`);

  const x = await started.sample(4, { seed: 7 }); // [4, 64]
  const shades = ' .:-=+*#%@';
  for (let y = 0; y < height; y++) {
    const rows = [0, 1, 2, 3].map((image) => {
      const row = x.subarray((image * height + y) * width, (image * height + y + 1) * width);
      return [...row].map((value) => shades[Math.min(9, Math.max(0, Math.floor(10 * value)))]).join('');
    });
    print(rows.join('   '));
  }

  const classes = await glow(gpu, { shape, levels: 2, steps: 2, hidden: [16, 16], classes: 3, data, dataContext: Float32Array.of(0) });
  const drawn = await classes.sampleWithLogProb(3, { seed: 7, context: Float32Array.of(0, 1, 2) }); // a class each
  print(`one draw of each class: ${[...drawn.logProb].map((value) => value.toFixed(1)).join(', ')} nats`);
  for (const flow of [plain, started, classes]) flow.dispose();
}
