// Trains flows on FFJORD's toy densities in a headless browser and prints the held-out loss beside the entropy, which no model beats.
//
//   npm run toys -- --flow "neural spline" --toy moons --steps 4000
import { parseArgs } from 'node:util';
import { choose, onPage } from './bench-page.mjs';

const { values } = parseArgs({
  options: {
    flow: { type: 'string', multiple: true },
    toy: { type: 'string', multiple: true },
    steps: { type: 'string', default: '4000' },
    batch: { type: 'string', default: '512' },
    rate: { type: 'string', default: '0.003' },
  },
});
const recipe = { steps: Number(values.steps), batch: Number(values.batch), learningRate: Number(values.rate) };

const began = performance.now();
await onPage({ path: 'toys/', global: 'trainToy' }, async (page) => {
  const known = await page.evaluate(() => ({ toys: window.toyNames, flows: window.flowNames }));
  const flows = choose(values.flow, known.flows, 'flow');
  console.log(
    `50 000 training points, batch ${recipe.batch}, ${recipe.steps} Adam steps, cosine from ${recipe.learningRate}; nats on 20 000 fresh points\n`,
  );
  console.log('toy              entropy  flow            loss     above  margin  seconds');
  for (const toy of choose(values.toy, known.toys, 'toy'))
    for (const flow of flows) {
      const row = await page.evaluate((name, options) => window.trainToy(name, options), toy, { flow, ...recipe });
      const above = row.loss - row.entropy;
      console.log(
        [
          toy.padEnd(16),
          row.entropy.toFixed(3).padStart(7),
          ` ${flow.padEnd(14)}`,
          row.loss.toFixed(3).padStart(6),
          `${above >= 0 ? '+' : ''}${above.toFixed(3)}`.padStart(9),
          row.margin.toFixed(2).padStart(7),
          row.seconds.toFixed(0).padStart(8),
        ].join(' '),
      );
    }
  console.log(`\n${((performance.now() - began) / 1000).toFixed(0)} s in all`);
});
