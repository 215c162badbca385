// Trains flows on FFJORD's toy densities in a headless browser and prints the held-out loss beside the entropy, which no model beats.
//
// Settings lie in bench/toys/main.ts and are printed; --steps, --batch, --rate and --average change them for a run.
//
//   npm run toys -- --flow "neural spline" --toy moons --steps 4000
import { parseArgs } from 'node:util';
import { choose, onPage } from './bench-page.mjs';

const { values } = parseArgs({
  options: {
    flow: { type: 'string', multiple: true },
    toy: { type: 'string', multiple: true },
    steps: { type: 'string' },
    batch: { type: 'string' },
    rate: { type: 'string' },
    average: { type: 'string' },
  },
});
const given = { steps: values.steps, batch: values.batch, learningRate: values.rate, average: values.average };
const changes = Object.fromEntries(Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [[name, Number(value)]])));
const worded = (value) => (Array.isArray(value) ? value.join(' × ') : typeof value === 'object' ? `(${listed(value)})` : value);
const listed = (options) =>
  Object.entries(options)
    .map(([name, value]) => `${name} ${worded(value)}`)
    .join(', ');

const began = performance.now();
await onPage({ path: 'toys/', global: 'trainToy' }, async (page) => {
  const known = await page.evaluate(() => ({ toys: window.toyNames, recipes: window.toyRecipes }));
  const flows = choose(values.flow, Object.keys(known.recipes), 'flow');
  console.log('50 000 training points, Adam, cosine after a warmup of a fiftieth of the steps, the best of 20 looks at 5000 points;');
  console.log('nats on 20 000 fresh points');
  for (const flow of flows) {
    const { settings, recipe } = known.recipes[flow];
    console.log(`${flow}: ${listed({ ...settings, ...recipe, ...changes })}`);
  }
  console.log();
  console.log('toy              entropy  flow            loss     above  margin  seconds');
  for (const toy of choose(values.toy, known.toys, 'toy'))
    for (const flow of flows) {
      const row = await page
        .evaluate((...options) => window.trainToy(...options), toy, flow, changes)
        .catch((error) => {
          console.log(`${toy.padEnd(16)}          ${flow.padEnd(14)}  ${error.message.split('\n')[0]}`);
          process.exitCode = 1;
        });
      if (!row) continue;
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
