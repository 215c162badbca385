// Gradients by parameters of one flow: recorded reverse mode in float64 against central differences, then the device against float64.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GpuFlow } from '../../src/flows/flow.js';
import { layoutOf } from '../../src/training/trainable.js';
import type { FlowCase } from '../flows/table.js';
import type { useGpu } from './gpu.js';
import { differentiable, worstDifference } from './parameter-gradients.js';
import { perturbed } from './perturbed.js';
import { freshSeed, Random } from './random.js';

export interface GradientLimits {
  /** Deviation of what is added to every parameter, so that none is at its start. Default 0.1. */
  readonly moved?: number;
  /** |device − float64| beside the root mean square of the parameter's tensor. Default 1e-3. */
  readonly device?: number;
}

/** Registers the tests of the given flows. */
export function describeGradients(
  held: ReturnType<typeof useGpu>,
  cases: readonly FlowCase[],
  limitsOf: (name: string) => GradientLimits = () => ({}),
): void {
  describe.each(cases)('$name', ({ name, make, traits }) => {
    const { moved = 0.1, device = 1e-3 } = limitsOf(name);
    let flow: GpuFlow;
    const random = new Random(freshSeed());
    const note = `VITE_TEST_SEED=${random.seed}`;
    beforeAll(async () => {
      flow = (await perturbed(held.gpu, make(held.gpu), moved)) as GpuFlow;
    });
    afterAll(() => flow.dispose());
    const { support } = traits;
    const points = (rows: number): Float32Array =>
      random.normals(rows * flow.dim).map((value) => (support ? support[0] + (support[1] - support[0]) * random.uniform() : value));

    test('agrees with central differences, in float64', () => {
      const x = points(3);
      const context = flow.contextDim > 0 ? random.normals(3 * flow.contextDim) : undefined;
      const { worst, place } = worstDifference(flow, differentiable(flow, x, context), random, 8);
      expect(worst, `${place}, ${note}`).toBeLessThan(1e-6);
    });

    test('the device agrees with float64', async () => {
      const rows = 67;
      const x = points(rows);
      const context = flow.contextDim > 0 ? random.normals(rows * flow.contextDim) : undefined;
      const exact = differentiable(flow, x, context)();
      const { loss, gradients } = await flow.gradients(x, context ? { context } : {});
      expect(Math.abs(loss - exact.loss / rows) / (1 + Math.abs(loss)), note).toBeLessThan(1e-5);
      let off = 0;
      for (const { name: tensor, from, length } of layoutOf(flow).tensors) {
        const want = exact.gradient.subarray(from, from + length).map((value) => value / rows);
        const scale = 1e-3 + Math.sqrt(want.reduce((sum, value) => sum + value * value, 0) / length);
        for (const [i, value] of gradients[tensor]!.entries()) if (!(Math.abs(value - want[i]!) <= device * scale)) off++;
      }
      // A unit at a kink may fall on the other side in float32 for some row.
      expect(off / layoutOf(flow).count, note).toBeLessThanOrEqual(0.02);
    });
  });
}
