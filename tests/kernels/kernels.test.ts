// Every kernel against its float64 twin, on the cases of tests/cases, with fresh inputs.

import { describe, expect, test } from 'vitest';
import { compareWithTwin, freshSeed, nameOf, tables } from '../support/all-kernels.js';
import { useGpu } from '../support/gpu.js';

const held = useGpu();

describe.each(tables.map((table) => [nameOf(table), table] as const))('%s', (name, table) => {
  let most = 0;
  test.each(table.cases.map((entry) => [entry.name, entry] as const))('%s', async (_, entry) => {
    const seed = freshSeed();
    const { worst, place } = await compareWithTwin(held.gpu.device, table.kernel, entry, seed);
    most = Math.max(most, worst);
    expect(worst, `${place}; VITE_TEST_SEED=${seed}`).toBeLessThanOrEqual(1);
  });
  test('worst error beside what is allowed', () => console.info(`${name}: ${most.toFixed(3)}`));
});
