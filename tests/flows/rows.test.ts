// Rows: none of them, rows with a NaN, and rows that change while a call is under way.

import { beforeAll, describe, expect, test } from 'vitest';
import { type Flow, maf, realNVP } from '../../src/index.js';
import { download, expectSameBits, numbered, upload } from '../support/buffers.js';
import { useSmallFlows } from '../support/small-flows.js';

const context = useSmallFlows();
let flow: Flow;
let conditional: Flow;
beforeAll(() => {
  ({ flow, conditional } = context);
});

const x = numbered(12);

test('arrays are read before the call returns, even while it compiles', async () => {
  const fresh = await maf(context.gpu, { dim: 3, layers: 2, hidden: [8], seed: 1 });
  const expected = await flow.logProb(x);
  const mine = x.slice();
  const compiling = fresh.logProb(mine);
  mine.fill(9);
  expectSameBits(await compiling, expected);
  mine.set(x);
  const compiled = fresh.logProb(mine);
  mine.fill(9);
  expectSameBits(await compiled, expected);
  fresh.dispose();
});

describe('rows', () => {
  test('none give empty arrays', async () => {
    const none = new Float32Array(0);
    expect(await flow.forward(none)).toEqual({ z: none, logDet: none });
    expect(await flow.inverse(none)).toEqual({ x: none, logDet: none });
    expect(await flow.logProb(none)).toEqual(none);
    expect(await flow.sample(0)).toEqual(none);
    expect(await flow.sampleWithLogProb(0)).toEqual({ x: none, logProb: none });
    expect(await conditional.sample(0, { context: none })).toEqual(none);
    expect(await conditional.sample(0, { context: new Float32Array(2) })).toEqual(none);
  });

  test('none encode nothing', async () => {
    const { device } = context.gpu;
    const into = upload(device, Float32Array.of(5, 5, 5));
    const untouchable = new Proxy({} as GPUCommandEncoder, {
      get: (_, name) =>
        name === 'beginComputePass' && typeof name === 'string'
          ? () => expect.fail('a pass began')
          : expect.fail(`${String(name)} was called`),
    });
    expect(flow.encodeSample(untouchable, { count: 0, seed: 1, into })).toBe(into);
    expect(flow.encodeLogProb(untouchable, into, { count: 0, into })).toBe(into);
    const made = flow.encodeSample(untouchable, { count: 0, seed: 1 });
    expect(made.size).toBe(4);
    made.destroy();
    await flow.prepare({ count: 0 });
    expect([...(await download(device, into))]).toEqual([5, 5, 5]);
  });

  test.each(['maf', 'realNVP'] as const)('with a NaN are NaN, and the others keep their bits (%s)', async (kind) => {
    const own = await { maf, realNVP }[kind](context.gpu, { dim: 4, layers: 3, hidden: [8], seed: 1 });
    const clean = numbered(4 * 70);
    const dirty = clean.slice();
    const rows = [0, 2, 5, 63, 64, 69];
    for (const row of rows) dirty[row * 4 + (row % 4)] = Number.NaN;
    const others = Array.from({ length: 70 }, (_, row) => row).filter((row) => !rows.includes(row));
    const pick = (values: Float32Array, width: number, wanted: number[]) =>
      Float32Array.from(wanted.flatMap((row) => [...values.subarray(row * width, (row + 1) * width)]));
    const [before, after] = [await own.forward(clean), await own.forward(dirty)];
    expectSameBits(pick(after.z, 4, others), pick(before.z, 4, others));
    expectSameBits(pick(after.logDet, 1, others), pick(before.logDet, 1, others));
    for (const row of rows) expect(after.z.subarray(row * 4, row * 4 + 4).some(Number.isNaN)).toBe(true);
    const [density, spoiled] = [await own.logProb(clean), await own.logProb(dirty)];
    expectSameBits(pick(spoiled, 1, others), pick(density, 1, others));
    expect(pick(spoiled, 1, rows).every(Number.isNaN)).toBe(true);
    const [drawn, broken] = [await own.inverse(clean), await own.inverse(dirty)];
    expectSameBits(pick(broken.x, 4, others), pick(drawn.x, 4, others));
    expectSameBits(pick(broken.logDet, 1, others), pick(drawn.logDet, 1, others));
    for (const row of rows) expect(broken.x.subarray(row * 4, row * 4 + 4).some(Number.isNaN)).toBe(true);
    own.dispose();
  });
});
