// Every kernel against its float64 twin, on the cases of tests/cases, with fresh inputs.

import { describe, expect, test } from 'vitest';
import { affineCases } from '../cases/affine.js';
import { autoregressiveSolveAffineCases } from '../cases/autoregressive-solve-affine.js';
import { diagonalAffineCases } from '../cases/diagonal-affine.js';
import { diagonalMixtureDensityCases, diagonalMixtureSampleCases } from '../cases/diagonal-mixture.js';
import { fillCases } from '../cases/fill.js';
import { maskedLinearCases } from '../cases/masked-linear.js';
import { packCases, unpackCases } from '../cases/pack.js';
import { permuteCases } from '../cases/permute.js';
import { rowSumCases } from '../cases/row-sum.js';
import { standardNormalDensityCases, standardNormalSampleCases } from '../cases/standard-normal.js';
import { useGpu } from '../support/gpu.js';
import { freshSeed } from '../support/random.js';
import { compareWithTwin } from '../support/run-kernel.js';

const tables = [
  fillCases,
  rowSumCases,
  permuteCases,
  packCases,
  unpackCases,
  diagonalAffineCases,
  standardNormalSampleCases,
  standardNormalDensityCases,
  diagonalMixtureSampleCases,
  diagonalMixtureDensityCases,
  maskedLinearCases,
  affineCases,
  autoregressiveSolveAffineCases,
];

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
