// Choosing between variants of kernels: what is chosen is measured, said and kept, and changes results by rounding at most.

import { beforeAll, describe, expect, test } from 'vitest';
import { type Flow, Gpu, mademog, maf, neuralSpline, realNVP } from '../../src/index.js';
import { ValueError } from '../../src/runtime/errors.js';
import type { Kernel } from '../../src/runtime/kernel.js';
import { familyName } from '../../src/tuning/family-name.js';
import { fusionsOf } from '../../src/tuning/fuse.js';
import { fuse } from '../../src/tuning/fusion.js';
import { families } from '../../src/tuning/variants.js';
import { creations } from '../support/creations.js';
import { expectError } from '../support/errors.js';
import { useGpu } from '../support/gpu.js';

const context = useGpu();
const OPTIONS = { dim: 5, layers: 2, hidden: [60, 60], seed: 3 } as const;

/** Whether kernels whose weights a quad shares compile. */
const hasQuads = ({ device }: Gpu): boolean => device.features.has('subgroups');

const farthest = (a: Float32Array, b: Float32Array): number => a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0);

const forget = (): Promise<void> =>
  new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase('pushforward');
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error);
  });
beforeAll(forget);

describe('tune', () => {
  test('times every variant, keeps results, and remembers', async () => {
    const { gpu } = context;
    const flow = await maf(gpu, OPTIONS);
    const before = await flow.sample(100, { seed: 1 });
    const usage = gpu.memory.usage;
    const report = await gpu.tune({ rows: [1, 64], milliseconds: 60_000 });
    // Two are pooled, for reading back; where the solves fused, the program has its parameters and a list of its own (weights, biases, tasks), or by blocks
    // weights and tasks of each layer.
    const fused = report.choices.flatMap(({ rows, chosen }) => (rows === 'all' && chosen !== 'apart' ? chosen : []));
    const lists = fused.includes('block-solve-affine') ? 2 * OPTIONS.layers : 3 * fused.length;
    expect(gpu.memory.usage.buffers).toBe(usage.buffers + 2 + (fused.length > 0 ? 1 + lists : 0));
    const kernels = new Set(report.choices.map(({ kernel }) => kernel));
    expect([...kernels].sort()).toEqual(['autoregressive-solve-affine', ...(hasQuads(gpu) ? ['block-solve-affine'] : [])]);
    for (const choice of report.choices) {
      expect(choice.because).toBe('measured');
      expect(choice.refused).toEqual({});
      const names = choice.rows === 'all' ? ['apart'] : families[choice.kernel]![choice.rows].map(({ source }) => source.name);
      expect(Object.keys(choice.milliseconds).sort()).toEqual([choice.kernel, ...names].sort());
      expect(choice.milliseconds[choice.chosen]).toBeGreaterThan(0);
    }
    const after = await flow.sample(100, { seed: 1 });
    expect(farthest(before, after)).toBeLessThan(1e-4);
    expect(await flow.sample(100, { seed: 1 })).toEqual(after);
    // A recorded draw needs no further compilation.
    await gpu.device.queue.onSubmittedWorkDone();
    const encoder = gpu.device.createCommandEncoder();
    const made = await creations(gpu.device, async () => {
      flow.encodeSample(encoder, { count: 100, seed: 1 }).destroy();
    });
    expect(Object.keys(made)).not.toContain('createComputePipelineAsync');
    flow.dispose();

    const other = await Gpu.request();
    try {
      const again = await maf(other, OPTIONS);
      await again.sample(10, { seed: 1 });
      const found = await other.tune({ rows: [1, 64] });
      expect(found.choices.map(({ because }) => because)).toEqual(found.choices.map(() => 'remembered'));
      expect(found.choices.map(({ chosen }) => chosen)).toEqual(report.choices.map(({ chosen }) => chosen));
      expect(String(found)).toContain('autoregressive-solve-affine, tasks ');
      expect(await again.sample(100, { seed: 1 })).toEqual(after);
    } finally {
      other.dispose();
    }
  });

  test('of a flow that has run nothing yet takes sample and logProb', async () => {
    const gpu = Gpu.from(context.gpu.device);
    try {
      const flow = await maf(gpu, { dim: 3, layers: 1, hidden: [9], seed: 1 });
      const { choices } = await gpu.tune({ rows: 64, remember: false, milliseconds: 60_000 });
      // What runs fused has one line, so layers and solves have theirs only where they were the faster way.
      const layers = ['quad-linear', 'quad-linear']; // of 3 and of 9 inputs
      const fusible = hasQuads(gpu)
        ? ['block-solve-affine', 'narrow-net-affine', 'thin-net', 'linear-affine', ...layers]
        : ['narrow-net-affine'];
      const nets = choices.filter(({ rows }) => rows === 'all');
      expect(nets.map(({ kernel }) => kernel).sort()).toEqual(fusible.sort());
      for (const { kernel, chosen } of nets) expect(['apart', kernel]).toContain(chosen);
      const apart = choices.flatMap(({ kernel, rows }) => (rows === 'all' ? [] : kernel));
      expect(apart.includes('autoregressive-solve-affine')).toBe(nets.every(({ chosen }) => chosen !== 'block-solve-affine'));
      expect(apart.filter((kernel) => !['masked-linear', 'autoregressive-solve-affine'].includes(kernel))).toEqual([]);
      expect(choices.filter(({ rows }) => rows === 'many').every(({ because }) => because === 'measured')).toBe(true);
      expect(choices.filter(({ rows }) => rows === 'few').every(({ because }) => because !== 'measured')).toBe(true);
      flow.dispose();
      expect((await gpu.report()).choices).toEqual([]);
    } finally {
      gpu.dispose();
    }
  });

  test('refuses a variant that takes longer to compile than all of the time', async () => {
    const gpu = Gpu.from(context.gpu.device);
    try {
      const flow = await maf(gpu, OPTIONS);
      await flow.sample(10, { seed: 1 });
      const slow = 'autoregressive-solve-affine-team';
      const get = gpu.pipelines.get.bind(gpu.pipelines);
      gpu.pipelines.get = (command, kernel) => (kernel?.source.name === slow ? new Promise(() => {}) : get(command, kernel));
      const { choices } = await gpu.tune({ rows: 64, remember: false, milliseconds: 3000 });
      const [choice] = choices.filter(({ because, rows }) => because === 'measured' && rows === 'many');
      expect(choice!.refused[slow]).toBe('takes longer than 3000 ms to compile');
      expect(choice!.milliseconds[slow]).toBeUndefined();
      expect(choice!.milliseconds['autoregressive-solve-affine']).toBeGreaterThan(0);
    } finally {
      gpu.dispose();
    }
  });

  test('begins no shape after its time, or after an abort', async () => {
    const gpu = Gpu.from(context.gpu.device);
    try {
      await maf(gpu, OPTIONS);
      for (const options of [{ milliseconds: 1e-9 }, { signal: AbortSignal.abort() }]) {
        const { choices } = await gpu.tune({ ...options, remember: false });
        expect(choices.length).toBeGreaterThan(0);
        expect(choices.every(({ because, milliseconds }) => because !== 'measured' && Object.keys(milliseconds).length === 0)).toBe(true);
      }
    } finally {
      gpu.dispose();
    }
  });

  test.each([0, -1, 1.5, Number.NaN, 2 ** 25, []].map((rows) => [rows]))('rows %j is refused', async (rows) => {
    const got = Array.isArray(rows) ? 'none' : String(rows);
    await expectError(
      () => context.gpu.tune({ rows }),
      ValueError,
      'E_VALUE',
      `gpu.tune: rows needs whole numbers from 1 to 2²⁴; got ${got}`,
    );
  });
  test('so is a time that is not positive', async () => {
    await expectError(
      () => context.gpu.tune({ milliseconds: 0 }),
      ValueError,
      'E_VALUE',
      'gpu.tune: milliseconds needs a positive number; got 0',
    );
  });
});

test('the rule for this adapter is said', async () => {
  const gpu = Gpu.from(context.gpu.device);
  try {
    for (const dim of [6, 4]) await (await maf(gpu, { ...OPTIONS, hidden: [100, 100], dim })).logProb(new Float32Array(dim));
    const { adapter, choices } = await gpu.report();
    const layers = choices.filter(({ kernel, chosen }) => ['masked-linear', 'quad-linear'].includes(kernel) && chosen !== 'apart');
    const wide = layers.filter(({ params }) => params.inputs! > 4 && params.inputs! * params.outputs! >= 512);
    expect(new Set(wide.map(({ params }) => params.inputs))).toContain(6);
    const ruled = adapter === 'swiftshader';
    for (const { chosen, because } of wide) {
      expect(chosen).toBe(ruled ? 'quad-linear' : 'masked-linear');
      expect(because).toBe(ruled ? 'rule' : 'default');
    }
    const narrow = layers.filter(({ params }) => params.inputs === 4);
    expect(narrow.length).toBeGreaterThan(0);
    expect(narrow.every(({ because }) => because === 'default')).toBe(true);
  } finally {
    gpu.dispose();
  }
});

test('the rule for llvmpipe broadcasts the weights of wide layers, and changes results by rounding', async () => {
  const of = async (adapter: string) => {
    const gpu = Gpu.from(context.gpu.device);
    Object.assign(gpu.choices, { adapter });
    try {
      const flow = await maf(gpu, { ...OPTIONS, hidden: [64, 64] });
      const density = await flow.logProb(new Float32Array(OPTIONS.dim).fill(0.4));
      return { density, choices: (await gpu.report()).choices };
    } finally {
      gpu.dispose();
    }
  };
  const [plain, ruled] = [await of('none'), await of('software')];
  expect(farthest(ruled.density, plain.density)).toBeLessThan(1e-4);
  const wide = ruled.choices.filter(({ kernel, params }) => kernel === 'masked-linear' && params.inputs! * params.outputs! >= 4096);
  expect(wide.length).toBeGreaterThan(0);
  for (const { chosen, because } of wide)
    expect([chosen, because]).toEqual(hasQuads(context.gpu) ? ['masked-linear-broadcast', 'rule'] : ['masked-linear', 'default']);
  for (const choice of ruled.choices) if (!wide.includes(choice)) expect(choice.because).toBe('default');
});

/** What is chosen by hand takes effect. */
const adopt = async (gpu: Gpu): Promise<void> => {
  for (const owner of gpu.owners) for (const executable of owner.executables) executable.adopt(await gpu.pipelinesOf(executable.recorded));
};

const resultsOf = async (flow: Flow, count: number) => {
  const context = flow.contextDim > 0 ? { context: Float32Array.of(0.3, -1) } : {};
  const { x, logProb } = await flow.sampleWithLogProb(count, { seed: 7, ...context });
  return [x, logProb, await flow.logProb(x, context)] as const;
};

function expectSame(got: Awaited<ReturnType<typeof resultsOf>>, expected: Awaited<ReturnType<typeof resultsOf>>, place: string): void {
  for (const [i, what] of (['x', 'log p', 'density'] as const).entries())
    expect(farthest(got[i]!, expected[i]!), `${what}, ${place}`).toBeLessThan(2e-4);
}

describe('whatever the variant', () => {
  const recipes = {
    maf: (gpu: Gpu) => maf(gpu, { dim: 5, layers: 2, hidden: [40, 40], seed: 3, contextDim: 2 }),
    mademog: (gpu: Gpu) => mademog(gpu, { dim: 3, hidden: [30], components: 3, seed: 3, contextDim: 2 }),
    neuralSpline: (gpu: Gpu) => neuralSpline(gpu, { dim: 3, layers: 2, hidden: [30], type: 'autoregressive', seed: 3, contextDim: 2 }),
  };
  const names = [...new Set(Object.values(families).flatMap(({ few }) => few.map(({ source }) => source.name)))];

  test.each(Object.entries(recipes))('%s gives the same numbers', async (_, make) => {
    const gpu = Gpu.from(context.gpu.device);
    try {
      const flow = await make(gpu);
      const results = (count: number) => resultsOf(flow, count);
      const expected = { 70: await results(70), 5: await results(5) };
      const shapes = (await gpu.report()).choices.length;
      expect(shapes).toBeGreaterThan(0);
      let used = 0;
      for (const name of names) {
        gpu.choices.of = (command) =>
          families[familyName(command.kernel)]?.few.find(({ source }) => source.name === name) ?? command.kernel;
        await adopt(gpu);
        used += (await gpu.report()).choices.filter(({ chosen }) => chosen === name).length;
        for (const [count, before] of Object.entries(expected)) expectSame(await results(Number(count)), before, `${name}, ${count} rows`);
      }
      expect(used).toBeGreaterThan(shapes / 2);
    } finally {
      gpu.dispose();
    }
  });
});

describe('fused', () => {
  const net = { dim: 5, layers: 2, hidden: [40, 30], seed: 3 } as const;
  /** Recipes, and how many fused networks their density and their draws with densities have, and how many lists of several solves, or solves by blocks, the latter. */
  const recipes: Record<
    string,
    readonly [make: (gpu: Gpu) => Promise<Flow>, density: number, draw: number, lists: number, blocks: number]
  > = {
    'realNVP with a context': [(gpu) => realNVP(gpu, { ...net, contextDim: 2 }), 2, 2, 0, 0],
    'maf, batch norm between': [(gpu) => maf(gpu, { ...net, batchNorm: true }), 2, 0, 0, 2],
    'maf with permutations': [(gpu) => maf(gpu, { ...net, layers: 3, order: 'random' }), 3, 0, 1, 3],
    'an autoregressive spline': [(gpu) => neuralSpline(gpu, { ...net, dim: 3, type: 'autoregressive' }), 2, 0, 1, 2],
    'spline coupling': [(gpu) => neuralSpline(gpu, { ...net, dim: 3 }), 2, 2, 0, 0],
    'a net that is wide but for its end': [(gpu) => realNVP(gpu, { ...net, hidden: [200, 40] }), 2, 2, 0, 0],
    'a wide net': [(gpu) => maf(gpu, { ...net, hidden: [400, 400] }), 0, 0, 0, 2],
    'the last layers of a residual net': [(gpu) => maf(gpu, { ...net, hidden: [32, 32], residual: true }), 2, 0, 1, 0],
  };

  test.each(Object.entries(recipes))('%s gives the same numbers', async (_, [make, density, draw, lists, blocks]) => {
    const gpu = Gpu.from(context.gpu.device);
    try {
      const flow = await make(gpu);
      const before = { 70: await resultsOf(flow, 70), 5: await resultsOf(flow, 5) };
      const [owner] = gpu.owners;
      const isBlock = (kernel: Kernel) => kernel.source.name.startsWith('block-solve');
      // A solve by blocks takes the place of a list.
      for (const byBlocks of hasQuads(gpu) ? [false, true] : [false]) {
        gpu.choices.fuse = (recorded) => fuse(recorded, fusionsOf(recorded), ({ command }) => byBlocks || !isBlock(command.kernel));
        await adopt(gpu);
        const commandsOf = (name: string) => owner!.ready(name)!.program.commands;
        const fusedIn = (name: string) => commandsOf(name).filter(({ kernel }) => kernel.source.name.startsWith('narrow-net')).length;
        expect([fusedIn('logProb'), fusedIn('sampleWithLogProb')]).toEqual([density, draw]);
        const draws = commandsOf('sampleWithLogProb');
        expect(draws.filter(({ label }) => / of \d layers$/.test(label)).length).toBe(byBlocks && blocks > 0 ? 0 : lists);
        expect(draws.filter(({ kernel }) => isBlock(kernel)).length).toBe(byBlocks ? blocks : 0);
        for (const [count, expected] of Object.entries(before)) expectSame(await resultsOf(flow, Number(count)), expected, `${count} rows`);
      }
    } finally {
      gpu.dispose();
    }
  });

  test('is measured beside its parts, said and remembered', async () => {
    const gpu = Gpu.from(context.gpu.device);
    try {
      const flow = await realNVP(gpu, { dim: 3, layers: 1, hidden: [16], seed: 2 });
      await flow.sample(1, { seed: 1 });
      const ruled = new Set(
        (await gpu.report()).choices.flatMap(({ kernel, rows, chosen }) => (rows === 'all' && chosen === kernel ? kernel : [])),
      );
      const { choices } = await gpu.tune({ rows: 64, remember: false, milliseconds: 60_000 });
      const fusions = choices.filter(({ rows }) => rows === 'all');
      expect(fusions.length).toBeGreaterThan(0);
      for (const { kernel, chosen, because, milliseconds } of fusions) {
        expect(because).toBe('measured');
        expect(Object.keys(milliseconds).sort()).toEqual(['apart', kernel].sort());
        // What runs without a measurement is left for a gain of 5 % alone.
        const [usual, other] = ruled.has(kernel) ? [kernel, 'apart'] : ['apart', kernel];
        const wanted = milliseconds[other]! < 0.95 * milliseconds[usual]! ? other : usual;
        // Of those that share a part, one runs.
        const runsInPlace = fusions.some((one) => one.kernel !== kernel && one.chosen === one.kernel);
        expect(chosen === wanted || (chosen === 'apart' && runsInPlace), `${kernel}: ${chosen}, ${JSON.stringify(milliseconds)}`).toBe(
          true,
        );
      }
      flow.dispose();
    } finally {
      gpu.dispose();
    }
  });
});
