// Every example runs to its end and prints something finite.

import { expect, test } from 'vitest';
import { exampleNames, loadExample } from '../examples/all.js';
import { useGpu } from './support/gpu.js';

// By the rule for its adapter each example runs on the built package (npm run check).
const held = useGpu({ ruled: false });

test.each(exampleNames)('%s', async (name) => {
  const lines: string[] = [];
  await (await loadExample(name))(held.gpu, (line) => lines.push(line));
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.join('\n')).not.toMatch(/NaN|undefined|Infinity/);
});
