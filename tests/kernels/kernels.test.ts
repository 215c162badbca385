// Every kernel against its float64 twin, on the cases of tests/cases, with fresh inputs.

import { describe, expect, test } from 'vitest';
import type { KernelCases } from '../cases/case.js';
import { useGpu } from '../support/gpu.js';
import { freshSeed } from '../support/random.js';
import { compareWithTwin } from '../support/run-kernel.js';

const isTable = (value: unknown): value is KernelCases =>
  typeof value === 'object' && value !== null && 'kernel' in value && 'cases' in value;

/** Every table that a file of tests/cases exports, alone or in a list. */
const tables = Object.values(import.meta.glob<Record<string, unknown>>('../cases/*.ts', { eager: true }))
  .flatMap((module) => Object.values(module).flat())
  .filter(isTable);

const held = useGpu();

describe.each(tables.map((table) => [`${table.kernel.source.name}.${table.kernel.source.entryPoint}`, table] as const))(
  '%s',
  (name, table) => {
    let most = 0;
    test.each(table.cases.map((entry) => [entry.name, entry] as const))('%s', async (_, entry) => {
      const seed = freshSeed();
      const { worst, place } = await compareWithTwin(held.gpu.device, table.kernel, entry, seed);
      most = Math.max(most, worst);
      expect(
        worst,
        `${place}; ${(worst * entry.tolerance.bound).toExponential(2)} of ${entry.tolerance.bound}; VITE_TEST_SEED=${seed}`,
      ).toBeLessThanOrEqual(1);
    });
    test('worst error beside what is allowed', () => console.info(`${name}: ${most.toFixed(3)}`));
  },
);
