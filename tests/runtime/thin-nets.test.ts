// Which layers run as thin nets, and that results are those of the layers apart.

import { expect, test } from 'vitest';
import { ownFlow } from '../../src/flows/flow.js';
import { type Flow, Gpu, maf, neuralSpline, realNVP } from '../../src/index.js';
import { fill } from '../../src/kernels/fill.js';
import { maskedLinear } from '../../src/kernels/masked-linear.js';
import { createProgram } from '../../src/runtime/program.js';
import { Recorder } from '../../src/runtime/recorder.js';
import { NONE } from '../../src/runtime/tensor.js';
import { planFit } from '../../src/training/fit-options.js';
import { modelOf } from '../../src/training/model.js';
import { recordStep } from '../../src/training/step.js';
import { layoutOf } from '../../src/training/trainable.js';
import { thinNetsIn } from '../../src/tuning/fuse-thin-nets.js';
import { fuse } from '../../src/tuning/fusion.js';
import { difference, ROWS, resultsOf, step } from '../support/fused-results.js';
import { useGpu } from '../support/gpu.js';
import { Random } from '../support/random.js';

const held = useGpu();

const net = { layers: 2, seed: 3 };

/** How many a density has, and a draw, and a training step on its way back. */
const recipes: Record<string, [make: (gpu: Gpu) => Promise<Flow>, density: number, draw: number, back: number]> = {
  'a coupling of two features': [(gpu) => realNVP(gpu, { ...net, dim: 2, hidden: [64, 64] }), 2, 2, 2],
  'deeper nets, both ends, less the first way back, whose inputs need none': [
    (gpu) => realNVP(gpu, { ...net, dim: 2, hidden: [64, 64, 64] }),
    4,
    4,
    3,
  ],
  'another activation': [(gpu) => realNVP(gpu, { ...net, dim: 3, hidden: [40, 40], activation: 'tanh' }), 2, 2, 2],
  'softplus, whose slope is apart': [(gpu) => realNVP(gpu, { ...net, dim: 3, hidden: [40, 40], activation: 'softplus' }), 2, 2, 0],
  'a context, which joins in front': [(gpu) => realNVP(gpu, { ...net, dim: 2, contextDim: 3, hidden: [64, 64] }), 2, 2, 2],
  'many outputs behind, less the first way back': [(gpu) => neuralSpline(gpu, { ...net, dim: 2, hidden: [64, 64] }), 2, 2, 1],
  'an autoregressive flow': [(gpu) => maf(gpu, { ...net, dim: 2, hidden: [64, 64] }), 2, 0, 2],
  'a net that is too wide': [(gpu) => realNVP(gpu, { ...net, dim: 2, hidden: [200, 200] }), 0, 0, 0],
  'one hidden layer': [(gpu) => realNVP(gpu, { ...net, dim: 2, hidden: [64] }), 0, 0, 0],
};

/** Of the program of a step. */
function thinNetsOfStep(flow: Flow): string[] {
  const own = ownFlow('test', flow);
  const context = flow.contextDim > 0 ? { context: new Float32Array(ROWS * flow.contextDim) } : {};
  const plan = planFit(own, new Float32Array(ROWS * flow.dim), { ...step, ...context });
  const model = modelOf(own);
  return thinNetsIn(recordStep(model, layoutOf(model), plan.step, plan.objective).program).map(({ command }) => command.kernel.source.name);
}

test.each(Object.entries(recipes))('%s', async (_, [make, density, draw, back]) => {
  const gpu = Gpu.from(held.gpu.device);
  try {
    await gpu.choices.ready();
    gpu.choices.fuse = (recorded) => fuse(recorded, thinNetsIn(recorded), () => true);
    const flow = await make(gpu);
    const kinds = thinNetsOfStep(flow);
    expect([kinds.filter((name) => name === 'thin-net').length, kinds.filter((name) => name === 'thin-net-backward').length]).toEqual([
      density,
      back,
    ]);
    const fused = await resultsOf(flow);
    const [owner] = gpu.owners;
    const thinIn = (name: string) => owner!.ready(name)!.program.commands.filter(({ kernel }) => kernel.source.name === 'thin-net').length;
    expect([thinIn('logProb'), thinIn('sample')]).toEqual([density, draw]);

    gpu.choices.fuse = (recorded) => recorded;
    const apart = await resultsOf(await make(gpu));
    expect(Object.keys(fused)).toEqual(Object.keys(apart));
    for (const [name, values] of Object.entries(apart)) expect(difference(fused[name]!, values), name).toBeLessThan(5e-6);
  } finally {
    gpu.dispose();
  }
});

test('the bits of a row do not depend on its place in the batch', async () => {
  const gpu = Gpu.from(held.gpu.device);
  try {
    await gpu.choices.ready();
    gpu.choices.fuse = (recorded) => fuse(recorded, thinNetsIn(recorded), () => true);
    const flow = await realNVP(gpu, { ...net, dim: 2, hidden: [64, 64] });
    const row = new Random(5).normals(2);
    const logProb = await flow.logProb(Float32Array.from({ length: 2 * ROWS }, (_, i) => row[i % 2]!));
    expect([...new Set(logProb)]).toEqual([logProb[0]]);
  } finally {
    gpu.dispose();
  }
});

/** Two layers, 2 → 40 → 40, and what `between` records between them. */
function layersWith(between: (r: Recorder, h: ReturnType<Recorder['tiled']>) => void) {
  const r = new Recorder('test');
  const [x, h, y] = [r.tiled(2, 'x'), r.tiled(40, 'h'), r.tiled(40, 'y')];
  r.run(fill, { buffers: { destination: x }, params: { features: 2, value: 1 } });
  const layer = (inputs: number, from: typeof x, to: typeof x) =>
    r.run(maskedLinear, {
      buffers: {
        x: from,
        weight: r.constant(new Float32Array(40 * inputs), 'weight'),
        bias: r.constant(new Float32Array(120), 'bias'),
        ranges: r.constant(
          Uint32Array.from({ length: 10 }, (_, i) => (i % 2) * inputs),
          'ranges',
        ),
        addend: NONE,
        gate: NONE,
        y: to,
        raw: r.tiled(1, 'unused'),
      },
      params: {
        inputs,
        outputs: 40,
        x_features: inputs,
        x_at: 0,
        addend_features: 1,
        addend_at: 0,
        gate_features: 1,
        gate_at: 0,
        y_features: 40,
        y_at: 0,
        raw_features: 1,
        blocks: 1,
      },
    });
  layer(2, x, h);
  between(r, h);
  layer(40, h, y);
  return thinNetsIn(createProgram(r.commands));
}

test('layers fuse, unless something between them changes what they read', () => {
  const [fusion, ...others] = layersWith(() => {});
  expect(others).toEqual([]);
  expect(fusion!.parts).toHaveLength(2);
  expect(fusion!.command.constants).toMatchObject({ KEEP_FRONT: false, KEEP_WIDE: true });
  const changed = layersWith((r, h) => r.run(fill, { buffers: { destination: h }, params: { features: 40, value: 0 } }));
  expect(changed).toEqual([]);
});

test('the rule for SwiftShader takes them where the wide layer is worth it', async () => {
  const gpu = Gpu.from(held.gpu.device);
  try {
    for (const [hidden, worth] of [
      [64, true],
      [20, false],
    ] as const) {
      const flow = await realNVP(gpu, { ...net, dim: 2, hidden: [hidden, hidden] });
      await flow.sample(8, { seed: 1 });
      const { adapter, choices } = await gpu.report();
      const [choice] = choices.filter(({ kernel, params }) => kernel === 'thin-net' && params.inputs === hidden);
      const ruled = worth && adapter === 'swiftshader';
      expect(choice).toMatchObject({ chosen: ruled ? 'thin-net' : 'apart', because: ruled ? 'rule' : 'default' });
    }
  } finally {
    gpu.dispose();
  }
});
