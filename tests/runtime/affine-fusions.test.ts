// Which last layers, and which thin nets, fuse with their transformer, and that results are those of the commands apart.

import { expect, test } from 'vitest';
import { type Flow, type Gpu, maf, neuralSpline, nice, realNVP } from '../../src/index.js';
import { inputAffinesIn } from '../../src/tuning/fuse-input-affine.js';
import { linearAffinesIn } from '../../src/tuning/fuse-linear-affine.js';
import { thinAffinesIn } from '../../src/tuning/fuse-thin-affine.js';
import { fuse } from '../../src/tuning/fusion.js';
import { commandsOn, expectSame, expectSameBits, resultsOf, stepOf, withGpu } from '../support/fused-results.js';
import { useGpu } from '../support/gpu.js';

const held = useGpu();

const net = { layers: 3, seed: 3 };

const layers = ['linear-affine', linearAffinesIn] as const;
const nets = ['thin-net-affine', thinAffinesIn] as const;

/** What fuses, and how many a density has, and a draw, and a training step. */
const recipes: Record<
  string,
  [fused: typeof layers | typeof nets, make: (gpu: Gpu) => Promise<Flow>, density: number, draw: number, training: number]
> = {
  'couplings, of which features pass': [layers, (gpu) => realNVP(gpu, { ...net, dim: 5, hidden: [20, 20] }), 3, 3, 3],
  'more inputs than a chunk has, and a context': [layers, (gpu) => realNVP(gpu, { ...net, dim: 4, contextDim: 2, hidden: [70] }), 3, 3, 3],
  'shifts, which have no log-det': [layers, (gpu) => nice(gpu, { ...net, dim: 4, hidden: [20] }), 3, 3, 3],
  'an autoregressive flow, whose draw solves': [layers, (gpu) => maf(gpu, { ...net, dim: 7, hidden: [30, 30] }), 3, 0, 3],
  'more parameters than a row may have': [layers, (gpu) => maf(gpu, { ...net, dim: 65, hidden: [70] }), 0, 0, 0],
  'another transformer': [layers, (gpu) => neuralSpline(gpu, { ...net, dim: 4, hidden: [20] }), 0, 0, 0],
  'small couplings': [nets, (gpu) => realNVP(gpu, { ...net, dim: 2, hidden: [20, 20] }), 3, 3, 3],
  'small couplings, of which several features pass, and a context': [
    nets,
    (gpu) => realNVP(gpu, { ...net, dim: 4, contextDim: 2, hidden: [20, 20] }),
    3,
    3,
    3,
  ],
  'small shifts': [nets, (gpu) => nice(gpu, { ...net, dim: 3, hidden: [12, 20] }), 3, 3, 3],
  'a small autoregressive flow, whose draw solves': [nets, (gpu) => maf(gpu, { ...net, dim: 2, hidden: [20, 20] }), 3, 0, 3],
  'more parameters than a thin layer has outputs': [nets, (gpu) => realNVP(gpu, { ...net, dim: 6, hidden: [20, 20] }), 0, 0, 0],
};

test.each(Object.entries(recipes))('%s', (_, [[name, find], make, density, draw, training]) =>
  withGpu(held.gpu.device, async (gpu) => {
    gpu.choices.fuse = (recorded) => fuse(recorded, find(recorded), () => true);
    const flow = await make(gpu);
    const fusions = find(stepOf(flow));
    expect(fusions).toHaveLength(training);
    // The way back reads the parameters; the first sum of a program starts it.
    expect(fusions.map(({ command }) => command.constants.KEEP)).toEqual(fusions.map(() => true));
    expect(fusions.map(({ command }) => command.constants.FIRST)).toEqual(
      fusions.map(({ command }, i) => i === 0 && command.constants.HAS_LOG_DET),
    );
    if (training > 0) await expectSameBits(flow);
    const fused = await resultsOf(flow);
    expect(['logProb', 'sample'].map((task) => commandsOn(gpu, task, name).length)).toEqual([density, draw]);
    gpu.choices.fuse = (recorded) => recorded;
    expectSame(fused, await resultsOf(await make(gpu)));
  }),
);

/** How many a training step has: the first layer's input needs no gradient. */
const back: Record<string, [make: (gpu: Gpu) => Promise<Flow>, training: number]> = {
  'couplings, on the way back': [(gpu) => realNVP(gpu, { ...net, dim: 5, hidden: [20, 20] }), 2],
  'shifts, on the way back': [(gpu) => nice(gpu, { ...net, dim: 4, hidden: [20] }), 2],
  'an autoregressive flow, on the way back': [(gpu) => maf(gpu, { ...net, dim: 7, hidden: [70, 30] }), 2],
  'another transformer, on the way back': [(gpu) => neuralSpline(gpu, { ...net, dim: 4, hidden: [20] }), 0],
};

test.each(Object.entries(back))('%s', (_, [make, training]) =>
  withGpu(held.gpu.device, async (gpu) => {
    gpu.choices.fuse = (recorded) => fuse(recorded, inputAffinesIn(recorded), () => true);
    const flow = await make(gpu);
    expect(inputAffinesIn(stepOf(flow))).toHaveLength(training);
    const fused = await resultsOf(flow);
    gpu.choices.fuse = (recorded) => recorded;
    expectSame(fused, await resultsOf(await make(gpu)));
  }),
);

test('the rule for SwiftShader takes them where a quad is worth it', () =>
  withGpu(held.gpu.device, async (gpu) => {
    for (const [kernel, dim, hidden, worth] of [
      ['linear-affine', 8, 64, true],
      ['linear-affine', 8, 20, false],
      ['thin-net-affine', 2, 64, true],
      ['thin-net-affine', 2, 6, true],
    ] as const) {
      const flow = await realNVP(gpu, { ...net, dim, hidden: [hidden, hidden] });
      await flow.sample(8, { seed: 1 });
      const { adapter, choices } = await gpu.report();
      const [choice] = choices.filter((one) => one.kernel === kernel && one.params.inputs === hidden);
      const ruled = worth && adapter === 'swiftshader';
      expect(choice).toMatchObject({ chosen: ruled ? kernel : 'apart', because: ruled ? 'rule' : 'default' });
    }
  }));
