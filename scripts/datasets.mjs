// Trains flows on real data in a headless browser and prints the log-likelihood of test rows beside that of a Gaussian with a full covariance.
//
//   npm run datasets -- --data digits --flow MAF --steps 2000
import { parseArgs } from 'node:util';
import { choose, onPage } from './bench-page.mjs';

const { values } = parseArgs({
  options: {
    data: { type: 'string', multiple: true },
    flow: { type: 'string', multiple: true },
    steps: { type: 'string' },
  },
});
const steps = values.steps === undefined ? null : Number(values.steps);

const columns = [
  'data',
  'flow',
  'parameters',
  'steps',
  'batch',
  'rate',
  'test nats',
  'Gaussian',
  'ahead',
  'bits/dim',
  'Gaussian',
  'seconds',
];
const widths = [8, 15, 10, 6, 6, 7, 10, 10, 8, 9, 9, 8];
const line = (cells) => cells.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' ');

const began = performance.now();
await onPage({ path: 'datasets/', global: 'trainOn' }, async (page) => {
  const known = await page.evaluate(() => window.dataModels);
  if (steps !== null && !(Number.isInteger(steps) && steps > 0)) throw new Error(`--steps takes an integer above 0; got ${values.steps}`);
  const sets = choose(values.data, Object.keys(known), 'data');
  const flows = choose(values.flow, [...new Set(sets.flatMap((name) => known[name]))], 'flow');
  console.log(
    'Bounds of log P(k) of integer test rows by uniform noise, nats a row, and as bits a feature; a Gaussian with a full covariance of the',
  );
  console.log('same training rows, in the same space; how far the flow is ahead of it.\n');
  console.log(line(columns));
  const notes = [];
  for (const name of sets)
    for (const flow of known[name].filter((each) => flows.includes(each))) {
      const row = await page.evaluate((...given) => window.trainOn(...given), name, flow, steps);
      const gaussian = row.gaussian.logLikelihood;
      const bits = (nats) => (-nats / (row.dim * Math.LN2)).toFixed(3);
      console.log(
        line([
          name,
          flow,
          `${row.parameters}`,
          `${row.steps}`,
          `${row.batch}`,
          `${row.learningRate}`,
          row.test.toFixed(2),
          gaussian.toFixed(2),
          `${row.test > gaussian ? '+' : ''}${(row.test - gaussian).toFixed(2)}`,
          bits(row.test),
          bits(gaussian),
          row.seconds.toFixed(0),
        ]),
      );
      const standard = (nats, rows) => (-nats - row.gaussian.toStandardised[rows]).toFixed(2);
      if (row.beside)
        notes.push(
          `${name}, ${flow}: −log density of standardised log-odds, nats. Training ${standard(-row.loss, 'train')} (last tenth of ${row.steps} steps), test ` +
            `${standard(row.test, 'test')}, Gaussian ${standard(gaussian, 'test')}; ${row.beside.name} ${row.beside.loss} (last of 300 steps, in training; ` +
            'tests/golden/nflows-maf-d64-reverse/case.json)',
        );
    }
  for (const note of notes) console.log(`\n${note}`);
  console.log(`\n${((performance.now() - began) / 1000).toFixed(0)} s in all`);
});
