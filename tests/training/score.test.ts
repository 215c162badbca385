// Gradients of log-densities: the recorded reverse mode in float64 against central differences, then the device against float64.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GpuFlow } from '../../src/flows/flow.js';
import { maf, scoreOf } from '../../src/index.js';
import { recordScore } from '../../src/training/record-score.js';
import { flows } from '../flows/table.js';
import { runProgram } from '../reference/run.js';
import { useGpu } from '../support/gpu.js';
import { freshSeed, Random } from '../support/random.js';
import { ReferenceFlow } from '../support/reference-flow.js';

const held = useGpu({ ruled: false });

/** Flows whose density runs through kernels with derivative rules. */
const differentiable = flows.filter(
  ({ name }) => /^(maf|nice|realNVP|iaf) D/.test(name) && !/mixture|conditional base|qr|householder|support|random permutation/.test(name),
);

describe.each(differentiable)('$name', ({ make }) => {
  let flow: GpuFlow;
  const random = new Random(freshSeed());
  const note = `VITE_TEST_SEED=${random.seed}`;
  beforeAll(async () => {
    flow = await make(held.gpu);
  });
  afterAll(() => flow.dispose());

  const exactScore = (x: ArrayLike<number>, context: Float32Array | undefined) =>
    runProgram(recordScore(flow), {
      rows: x.length / flow.dim,
      externals: { x: Float64Array.from(x), ...(context && { context: Float64Array.from(context) }) },
    }).score!;

  test('agrees with central differences, in float64', () => {
    const { dim } = flow;
    const reference = new ReferenceFlow(flow);
    const context = flow.contextDim > 0 ? random.normals(flow.contextDim) : undefined;
    const x = Float64Array.from(random.normals(dim));
    const score = exactScore(x, context);
    // Both steps at once; a kink of a ReLU within a step shows as a disagreement of theirs, and 1e-6 is small enough to meet few.
    const h = 1e-6;
    const points = new Float64Array(2 * dim * dim);
    for (let j = 0; j < 2 * dim; j++) {
      points.set(x, j * dim);
      points[j * dim + (j >> 1)]! += j % 2 === 0 ? h : -h;
    }
    const contexts = context && Float64Array.from({ length: 2 * dim * context.length }, (_, i) => context[i % context.length]!);
    const logProb = reference.logProb(points, contexts);
    for (let f = 0; f < dim; f++) {
      const numeric = (logProb[2 * f]! - logProb[2 * f + 1]!) / (2 * h);
      expect(Math.abs(score[f]! - numeric) / (1 + Math.abs(numeric)), `feature ${f}, ${note}`).toBeLessThan(1e-6);
    }
  });

  test.each([1, 3, 257])('the device agrees with float64 on %i rows', async (rows) => {
    const x = random.normals(rows * flow.dim);
    const context = flow.contextDim > 0 ? random.normals(rows * flow.contextDim) : undefined;
    const { score, logProb } = await scoreOf(flow, x, context ? { context } : {});
    const exact = exactScore(x, context);
    const scale = 1 + exact.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    // A unit at a kink may fall on the other side in float32; the score jumps there, so a few rows in a thousand may be off.
    const off = score.reduce((count, value, i) => count + (Math.abs(value - exact[i]!) <= 2e-5 * scale ? 0 : 1), 0);
    expect(off / score.length, note).toBeLessThanOrEqual(0.01);
    expect(logProb.every(Number.isFinite)).toBe(true);
  });
});

test('no rows give no score, and a NaN stays in its row', async () => {
  const flow = await maf(held.gpu, { dim: 3, layers: 2, hidden: [8], seed: 1 });
  expect(await scoreOf(flow, new Float32Array(0))).toEqual({ logProb: new Float32Array(0), score: new Float32Array(0) });
  const x = new Random(freshSeed()).normals(30);
  const clean = await scoreOf(flow, x);
  x[4] = Number.NaN;
  const { score } = await scoreOf(flow, x);
  expect(score.subarray(3, 6).some(Number.isNaN)).toBe(true);
  score.set(clean.score.subarray(3, 6), 3);
  expect(score).toEqual(clean.score);
});
