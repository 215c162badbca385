// Programs of whole flows: what they print, and how much scratch they need.

import { beforeAll, expect, test } from 'vitest';
import { GpuFlow } from '../../src/flows/flow.js';
import { iaf, maf } from '../../src/index.js';
import type { Program } from '../../src/runtime/program.js';
import { useGpu } from '../support/gpu.js';

const context = useGpu();
const flows: Record<string, GpuFlow> = {};
beforeAll(async () => {
  for (const [name, flow] of Object.entries({
    maf: await maf(context.gpu, { dim: 2, layers: 2, hidden: [4], seed: 1 }),
    'maf of six layers': await maf(context.gpu, { dim: 8, layers: 6, hidden: [32, 32], contextDim: 3, seed: 1 }),
    iaf: await iaf(context.gpu, { dim: 8, layers: 6, hidden: [32, 32], seed: 1 }),
  })) {
    if (!(flow instanceof GpuFlow)) throw new Error('a recipe builds a GpuFlow');
    flows[name] = flow;
  }
});

/** What is printed, less the values and the constants. */
const tensorsOf = (program: Program): string =>
  program
    .toString()
    .replace(/ {2}\{.*\}$/gm, '')
    .replace(/ \w+=[\w -]+\(\d+\)/g, '');

test('a small maf prints the same program every time', () => {
  const density = flows.maf!.record('logProb');
  expect(flows.maf!.record('logProb').toString()).toBe(density.toString());
  expect(density.toString().split('\n')[0]).toBe('flow/pack  outside=<x[2]> inside=x[2]@0  {features:2 is_context:0}');
  expect(tensorsOf(density)).toMatchInlineSnapshot(`
    "flow/pack  outside=<x[2]> inside=x[2]@0
    flow/fill  destination=log-det[1]@1
    flow/masked-autoregressive[0]/masked-linear  x=x[2]@0 y=hidden 0[4]@2 raw=unused[1]@3
    flow/masked-autoregressive[0]/masked-linear  x=hidden 0[4]@2 y=parameters[4]@3 raw=unused[1]@4
    flow/masked-autoregressive[0]/affine  x=x[2]@0 parameters=parameters[4]@3 y=z[2]@2 log_terms=log-det terms[2]@4
    flow/masked-autoregressive[0]/row-sum  terms=log-det terms[2]@4 total=log-det[1]@1
    flow/permutation[1]/permute  x=z[2]@2 y=permuted[2]@0
    flow/masked-autoregressive[2]/masked-linear  x=permuted[2]@0 y=hidden 0[4]@2 raw=unused[1]@4
    flow/masked-autoregressive[2]/masked-linear  x=hidden 0[4]@2 y=parameters[4]@3 raw=unused[1]@4
    flow/masked-autoregressive[2]/affine  x=permuted[2]@0 parameters=parameters[4]@3 y=z[2]@4 log_terms=log-det terms[2]@2
    flow/masked-autoregressive[2]/row-sum  terms=log-det terms[2]@2 total=log-det[1]@1
    flow/base/standard-normal.log_density  source=z[2]@4 log_det=log-det[1]@1 log_prob=log-density[1]@0
    flow/pack.unpack  tensor=log-density[1]@0 result=<logProb[1]>
    scratch 52 bytes a row in 5 buffers"
  `);
  expect(tensorsOf(flows.maf!.record('sample'))).toMatchInlineSnapshot(`
    "flow/base/standard-normal.sample  z=noise[2]@0
    flow/masked-autoregressive[2]/autoregressive-solve-affine  source=noise[2]@0 state=solve state[15]@1 result=x[2]@2 log_det=unused[1]@3
    flow/permutation[1]/permute  x=x[2]@2 y=permuted[2]@0
    flow/masked-autoregressive[0]/autoregressive-solve-affine  source=permuted[2]@0 state=solve state[15]@1 result=x[2]@2 log_det=unused[1]@3
    flow/pack.unpack  tensor=x[2]@2 result=<x[2]>
    scratch 80 bytes a row in 4 buffers"
  `);
});

/** Features of every tiled tensor, each once. */
function tiledFeatures(program: Program): Map<number, number> {
  const found = new Map<number, number>();
  for (const { tensors } of program.commands)
    for (const tensor of Object.values(tensors)) if (tensor.kind === 'tiled') found.set(tensor.id, tensor.features);
  return found;
}

test.each(['maf', 'maf of six layers', 'iaf'])(
  'scratch of %s: slots are reused, fit and are never shared by tensors alive at once',
  (name) => {
    for (const task of ['forward', 'inverse', 'logProb', 'sample', 'sampleWithLogProb'] as const) {
      const program = flows[name]!.record(task);
      const features = tiledFeatures(program);
      const sum = 4 * [...features.values()].reduce((a, b) => a + b, 0);
      expect(program.scratchBytesPerRow).toBe(4 * program.slots.reduce((a, b) => a + b, 0));
      expect(program.scratchBytesPerRow).toBeLessThan(sum);
      for (const [id, count] of features) expect(program.slots[program.slotOf.get(id)!]).toBeGreaterThanOrEqual(count);

      const spans = new Map<number, { first: number; last: number }>();
      for (const [index, { tensors }] of program.commands.entries())
        for (const tensor of Object.values(tensors))
          if (tensor.kind === 'tiled') spans.set(tensor.id, { first: spans.get(tensor.id)?.first ?? index, last: index });
      for (const [a, one] of spans)
        for (const [b, other] of spans)
          if (a < b && one.first <= other.last && other.first <= one.last) expect(program.slotOf.get(a)).not.toBe(program.slotOf.get(b));
    }
  },
);

test('a deep flow needs no more scratch than a shallow one', async () => {
  const slots = async (layers: number) => {
    const flow = await maf(context.gpu, { dim: 4, layers, hidden: [16, 16], seed: 1 });
    return (flow as GpuFlow).record('logProb').scratchBytesPerRow;
  };
  expect(await slots(20)).toBe(await slots(3));
});
