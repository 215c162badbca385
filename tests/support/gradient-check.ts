// What the gradients of a flow are held to: recorded reverse mode in float64 against central differences, and the device against float64.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GpuFlow } from '../../src/flows/flow.js';
import { scoreOf } from '../../src/index.js';
import type { Gpu } from '../../src/runtime/gpu.js';
import { modelOf } from '../../src/training/model.js';
import { recordScore } from '../../src/training/record-score.js';
import { flatParameters, layoutOf } from '../../src/training/trainable.js';
import type { FlowCase } from '../flows/table.js';
import { runProgram } from '../reference/run.js';
import { differentiable, worstDifference } from './parameter-gradients.js';
import { perturbed } from './perturbed.js';
import { freshSeed, Random } from './random.js';
import { ReferenceFlow } from './reference-flow.js';

export interface GradientLimits {
  /** Normals times this are added to every parameter. Default 0.1. */
  readonly perturbation?: number;
  /** Largest error of the device's gradient beside the root mean square of its tensor. Default 1e-3. */
  readonly device?: number;
  /** Parameters that are checked against differences. Default 8. */
  readonly parameters?: number;
  /** Also the gradient by x. Default true. */
  readonly score?: boolean;
}

/** Registers the tests of one flow. */
export function describeGradients(
  held: { readonly gpu: Gpu },
  { name, make, traits }: FlowCase,
  { perturbation = 0.1, device = 1e-3, parameters = 8, score = true }: GradientLimits = {},
): void {
  describe(name, () => {
    let flow: GpuFlow;
    const random = new Random(freshSeed());
    const note = `VITE_TEST_SEED=${random.seed}`;
    beforeAll(async () => {
      flow = (await perturbed(held.gpu, make(held.gpu), perturbation)) as GpuFlow;
    });
    afterAll(() => flow.dispose());
    const { support, classes } = traits;
    const points = (rows: number): Float32Array =>
      random.normals(rows * flow.dim).map((value) => (support ? support[0] + (support[1] - support[0]) * random.uniform() : value));
    const contexts = (rows: number): Float32Array | undefined => {
      const width = flow.contextDim;
      if (width === 0) return undefined;
      return random.normals(rows * width).map((value, at) => (classes && at % width === width - 1 ? random.integer(classes) : value));
    };

    test('by parameters, agrees with central differences in float64', () => {
      const [x, context] = [points(3), contexts(3)];
      const own = differentiable(flow, x, context);
      const { worst, place } = worstDifference(flow, own, random, parameters);
      expect(worst, `${place}, ${note}`).toBeLessThan(1e-6);
      // What is differentiated is the density that the flow is used with.
      const density = new ReferenceFlow(flow).logProb(x, context).reduce((sum, value) => sum + value, 0);
      const loss = own.loss(Float64Array.from(flatParameters(modelOf(flow), layoutOf(modelOf(flow)))));
      expect(Math.abs(loss + density) / (1 + Math.abs(loss)), note).toBeLessThan(1e-6);
    });

    test('by parameters, the device agrees with float64', async () => {
      // More than a tile where the twins are cheap.
      const rows = flow.dim > 8 ? 5 : 67;
      const [x, context] = [points(rows), contexts(rows)];
      const exact = differentiable(flow, x, context).evaluate();
      const { loss, gradients } = await flow.gradients(x, context ? { context } : {});
      expect(Math.abs(loss - exact.loss / rows) / (1 + Math.abs(loss)), note).toBeLessThan(1e-5);
      let off = 0;
      for (const { name: tensor, from, length } of layoutOf(modelOf(flow)).tensors) {
        const want = exact.gradient.subarray(from, from + length).map((value) => value / rows);
        const scale = 1e-3 + Math.sqrt(want.reduce((sum, value) => sum + value * value, 0) / length);
        for (const [i, value] of gradients[tensor]!.entries()) if (!(Math.abs(value - want[i]!) <= device * scale)) off++;
      }
      // A unit at a kink may fall on the other side in float32 for some row.
      expect(off / layoutOf(modelOf(flow)).count, note).toBeLessThanOrEqual(0.02);
    });

    if (!score) return;
    test('by x, agrees with central differences in float64, and the device with that', async () => {
      const { dim } = flow;
      const rows = 3;
      const [x, context] = [points(rows), contexts(rows)];
      const exact = runProgram(recordScore(flow), {
        rows,
        externals: { x: Float64Array.from(x), ...(context && { context: Float64Array.from(context) }) },
      }).score!;
      // Of the first row, some features at once; a kink within a step shows as a disagreement of theirs, and this one is small.
      const h = 1e-6;
      const features = Array.from({ length: Math.min(dim, 8) }, () => random.integer(dim));
      const moved = features.flatMap((f) =>
        [h, -h].map((step) => Float64Array.from(x.subarray(0, dim), (value, at) => (at === f ? value + step : value))),
      );
      const logProb = new ReferenceFlow(flow).logProb(
        Float64Array.from(moved.flatMap((row) => [...row])),
        context && Float64Array.from(moved.flatMap(() => [...context.subarray(0, flow.contextDim)])),
      );
      for (const [k, f] of features.entries()) {
        const numeric = (logProb[2 * k]! - logProb[2 * k + 1]!) / (2 * h);
        expect(Math.abs(exact[f]! - numeric) / (1 + Math.abs(numeric)), `feature ${f}, ${note}`).toBeLessThan(1e-6);
      }
      const got = await scoreOf(flow, x, context ? { context } : {});
      const scale = 1 + exact.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const off = got.score.reduce((count, value, i) => count + (Math.abs(value - exact[i]!) <= 5e-5 * scale ? 0 : 1), 0);
      expect(off / got.score.length, note).toBeLessThanOrEqual(0.02);
    });
  });
}
