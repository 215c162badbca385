// Which last layers fuse with their transformer, and that results are those of the commands apart.

import { expect, test } from 'vitest';
import { ownFlow } from '../../src/flows/flow.js';
import { type Flow, Gpu, maf, neuralSpline, nice, realNVP } from '../../src/index.js';
import { planFit } from '../../src/training/fit-options.js';
import { modelOf } from '../../src/training/model.js';
import { recordStep } from '../../src/training/step.js';
import { layoutOf } from '../../src/training/trainable.js';
import { linearAffinesIn } from '../../src/tuning/fuse-linear-affine.js';
import { fuse } from '../../src/tuning/fusion.js';
import { difference, ROWS, resultsOf, step } from '../support/fused-results.js';
import { useGpu } from '../support/gpu.js';

const held = useGpu();

const net = { layers: 3, seed: 3 };

/** How many a density has, and a draw, and a training step. */
const recipes: Record<string, [make: (gpu: Gpu) => Promise<Flow>, density: number, draw: number, training: number]> = {
  'couplings, of which features pass': [(gpu) => realNVP(gpu, { ...net, dim: 5, hidden: [20, 20] }), 3, 3, 3],
  'more inputs than a chunk has, and a context': [(gpu) => realNVP(gpu, { ...net, dim: 4, contextDim: 2, hidden: [70] }), 3, 3, 3],
  'shifts, which have no log-det': [(gpu) => nice(gpu, { ...net, dim: 4, hidden: [20] }), 3, 3, 3],
  'an autoregressive flow, whose draw solves': [(gpu) => maf(gpu, { ...net, dim: 7, hidden: [30, 30] }), 3, 0, 3],
  'more parameters than a row may have': [(gpu) => maf(gpu, { ...net, dim: 65, hidden: [70] }), 0, 0, 0],
  'another transformer': [(gpu) => neuralSpline(gpu, { ...net, dim: 4, hidden: [20] }), 0, 0, 0],
};

const countIn = (commands: readonly { readonly kernel: { readonly source: { readonly name: string } } }[]): number =>
  commands.filter(({ kernel }) => kernel.source.name === 'linear-affine').length;

test.each(Object.entries(recipes))('%s', async (_, [make, density, draw, training]) => {
  const gpu = Gpu.from(held.gpu.device);
  try {
    await gpu.choices.ready();
    gpu.choices.fuse = (recorded) => fuse(recorded, linearAffinesIn(recorded), () => true);
    const flow = await make(gpu);
    const own = ownFlow('test', flow);
    const context = flow.contextDim > 0 ? { context: new Float32Array(ROWS * flow.contextDim) } : {};
    const plan = planFit(own, new Float32Array(ROWS * flow.dim), { ...step, ...context });
    const model = modelOf(own);
    const fusions = linearAffinesIn(recordStep(model, layoutOf(model), plan.step, plan.objective).program);
    expect(fusions).toHaveLength(training);
    // The way back reads the parameters; the first sum of a program starts it.
    expect(fusions.map(({ command }) => command.constants.KEEP)).toEqual(fusions.map(() => true));
    expect(fusions.map(({ command }) => command.constants.FIRST)).toEqual(
      fusions.map(({ command }, i) => i === 0 && command.constants.HAS_LOG_DET),
    );
    const fused = await resultsOf(flow);
    const [owner] = gpu.owners;
    const fusedIn = (name: string) => countIn(owner!.ready(name)!.program.commands);
    expect([fusedIn('logProb'), fusedIn('sample')]).toEqual([density, draw]);

    gpu.choices.fuse = (recorded) => recorded;
    const apart = await resultsOf(await make(gpu));
    expect(Object.keys(fused)).toEqual(Object.keys(apart));
    for (const [name, values] of Object.entries(apart)) expect(difference(fused[name]!, values), name).toBeLessThan(5e-6);
  } finally {
    gpu.dispose();
  }
});

test('the rule for SwiftShader takes them where a quad is worth it for the layer', async () => {
  const gpu = Gpu.from(held.gpu.device);
  try {
    for (const [hidden, worth] of [
      [64, true],
      [20, false],
    ] as const) {
      const flow = await realNVP(gpu, { ...net, dim: 8, hidden: [hidden, hidden] });
      await flow.sample(8, { seed: 1 });
      const { adapter, choices } = await gpu.report();
      const [choice] = choices.filter(({ kernel, params }) => kernel === 'linear-affine' && params.inputs === hidden);
      const ruled = worth && adapter === 'swiftshader';
      expect(choice).toMatchObject({ chosen: ruled ? 'linear-affine' : 'apart', because: ruled ? 'rule' : 'default' });
    }
  } finally {
    gpu.dispose();
  }
});
