// Which layers run as thin nets, and that results are those of the layers apart.

import { expect, test } from 'vitest';
import { type Flow, type Gpu, maf, neuralSpline, realNVP } from '../../src/index.js';
import { fill } from '../../src/kernels/fill.js';
import { maskedLinear } from '../../src/kernels/masked-linear.js';
import { createProgram } from '../../src/runtime/program.js';
import { Recorder } from '../../src/runtime/recorder.js';
import { NONE } from '../../src/runtime/tensor.js';
import { thinNetsIn } from '../../src/tuning/fuse-thin-nets.js';
import { fuse } from '../../src/tuning/fusion.js';
import { commandsOn, expectSame, expectSameBits, resultsOf, stepOf, withGpu } from '../support/fused-results.js';
import { useGpu } from '../support/gpu.js';

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

test.each(Object.entries(recipes))('%s', (_, [make, density, draw, back]) =>
  withGpu(held.gpu.device, async (gpu) => {
    gpu.choices.fuse = (recorded) => fuse(recorded, thinNetsIn(recorded), () => true);
    const flow = await make(gpu);
    const kinds = thinNetsIn(stepOf(flow)).map(({ command }) => command.kernel.source.name);
    expect(['thin-net', 'thin-net-backward'].map((kind) => kinds.filter((name) => name === kind).length)).toEqual([density, back]);
    const fused = await resultsOf(flow);
    expect(['logProb', 'sample'].map((task) => commandsOn(gpu, task, 'thin-net').length)).toEqual([density, draw]);
    gpu.choices.fuse = (recorded) => recorded;
    expectSame(fused, await resultsOf(await make(gpu)));
  }),
);

test('the bits of a row do not depend on its place in the batch', () =>
  withGpu(held.gpu.device, async (gpu) => {
    gpu.choices.fuse = (recorded) => fuse(recorded, thinNetsIn(recorded), () => true);
    await expectSameBits(await realNVP(gpu, { ...net, dim: 2, hidden: [64, 64] }));
  }));

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

test('the rule for SwiftShader takes them', () =>
  withGpu(held.gpu.device, async (gpu) => {
    for (const hidden of [64, 6]) {
      // Of an affine coupling the transformer would be taken along: thin-net-affine.
      const flow = await neuralSpline(gpu, { ...net, dim: 2, hidden: [hidden, hidden] });
      await flow.sample(8, { seed: 1 });
      const { adapter, choices } = await gpu.report();
      const [choice] = choices.filter(({ kernel, params }) => kernel === 'thin-net' && params.inputs === hidden);
      const ruled = adapter === 'swiftshader';
      expect(choice).toMatchObject({ chosen: ruled ? 'thin-net' : 'apart', because: ruled ? 'rule' : 'default' });
    }
  }));
