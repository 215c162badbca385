// What a flow gives with runs of its commands fused, or arranged, beside what it gives as it was recorded.

import { expect } from 'vitest';
import { ownFlow } from '../../src/flows/flow.js';
import { type Flow, fit, Gpu } from '../../src/index.js';
import type { Command, Program } from '../../src/runtime/program.js';
import { planFit } from '../../src/training/fit-options.js';
import { modelOf } from '../../src/training/model.js';
import { recordStep } from '../../src/training/step.js';
import { layoutOf } from '../../src/training/trainable.js';
import { oneStep } from './one-step.js';
import { Random } from './random.js';

export const ROWS = 70;

const options = oneStep(ROWS, 0.1);

/** Runs `body` with a Gpu of its own on a device, whose rules have loaded. */
export async function withGpu(device: GPUDevice, body: (gpu: Gpu) => Promise<void>): Promise<void> {
  const gpu = Gpu.from(device);
  try {
    await gpu.choices.ready();
    await body(gpu);
  } finally {
    gpu.dispose();
  }
}

/** The program of a training step. */
export function stepOf(flow: Flow): Program {
  const own = ownFlow('test', flow);
  const context = flow.contextDim > 0 ? { context: new Float32Array(ROWS * flow.contextDim) } : {};
  const { step, objective } = planFit(own, new Float32Array(ROWS * flow.dim), { ...options, ...context });
  const model = modelOf(own);
  return recordStep(model, layoutOf(model), step, objective).program;
}

/** Commands of a kernel in what the only flow on a Gpu runs for a task. */
export function commandsOn(gpu: Gpu, task: string, kernel: string): Command[] {
  const [owner] = gpu.owners;
  return owner!.ready(task)!.program.commands.filter((command) => command.kernel.source.name === kernel);
}

/** Results by what they are of. */
export type Results = Readonly<Record<string, Float32Array>>;

/** What a flow gives, and its parameters after a step of gradient descent. */
export async function resultsOf(flow: Flow): Promise<Results> {
  const random = new Random(4);
  const [x, context] = [random.normals(ROWS * flow.dim), random.normals(ROWS * flow.contextDim)];
  const option = flow.contextDim > 0 ? { context } : {};
  const [logProb, sample] = [await flow.logProb(x, option), await flow.sample(ROWS, { seed: 1, ...option })];
  await fit(flow, x, { ...options, ...option });
  const parameters = Object.entries(await flow.parameters()).map(([name, { data }]) => [name, data as Float32Array] as const);
  return { logProb, sample, ...Object.fromEntries(parameters) };
}

/** Within 5e-6 of 1 + |want|. */
export function expectSame(got: Results, want: Results): void {
  expect(Object.keys(got)).toEqual(Object.keys(want));
  for (const [of, values] of Object.entries(want)) {
    const largest = values.reduce((most, value, i) => Math.max(most, Math.abs(got[of]![i]! - value) / (1 + Math.abs(value))), 0);
    expect(largest, of).toBeLessThan(5e-6);
  }
}

/** A density of the same row at every place of a batch has the same bits. */
export async function expectSameBits(flow: Flow): Promise<void> {
  const random = new Random(5);
  const repeated = (features: number) => {
    const row = random.normals(features);
    return Float32Array.from({ length: features * ROWS }, (_, i) => row[i % features]!);
  };
  const logProb = await flow.logProb(repeated(flow.dim), flow.contextDim > 0 ? { context: repeated(flow.contextDim) } : {});
  expect([...new Set(logProb)]).toEqual([logProb[0]]);
}
