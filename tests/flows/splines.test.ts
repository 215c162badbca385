// Splines at the places where formulas break: knots, ends of the box and one float beside them, far outside, bins at their least size; what is
// outside a box; angles; and descriptions that make no spline.

import { describe, expect, test } from 'vitest';
import type { GpuFlow } from '../../src/flows/flow.js';
import { type SplineSettings, splineConstants, splineParameters } from '../../src/flows/transformers/spline.js';
import { readSafetensors, writeSafetensors } from '../../src/format/safetensors.js';
import { FormatError, importTorch, loadFlow, neuralSpline, ValueError } from '../../src/index.js';
import { spline } from '../../src/kernels/spline.js';
import { SPLINES } from '../cases/spline.js';
import { knotsOfSpline, moveSpline } from '../reference/move-spline.js';
import { loadGolden } from '../support/golden.js';
import { useGpu } from '../support/gpu.js';
import { Random } from '../support/random.js';
import { runRaw } from '../support/raw-kernel.js';
import { ReferenceFlow } from '../support/reference-flow.js';

const held = useGpu();

/** One spline on many values. @param parameters of one feature. */
async function move(settings: SplineSettings, parameters: readonly number[], values: readonly number[], undo: boolean) {
  const rows = values.length;
  const padded = Math.ceil(rows / 64) * 64;
  const x = new Float32Array(padded);
  x.set(values);
  const params = { features: 1, slots: 1, parameter_features: 1 };
  const { y, log_terms } = await runRaw(held.gpu.device, spline.source, {
    buffers: {
      x,
      parameters: Float32Array.from(parameters.flatMap((p) => [p, p, p, p])),
      slot: new Uint32Array(1),
      y: padded,
      log_terms: padded,
    },
    params,
    constants: { ...splineConstants(settings, !undo), HAS_LOG_DET: true, SHARED: true },
    call: { rows, firstRow: 0, seed: 0, contextStride: 1 },
    workgroups: spline.grid(rows, params),
  });
  return { value: Array.from(y!.subarray(0, rows)), logDet: Array.from(log_terms!.subarray(0, rows)) };
}

/** The floats on either side of a number. */
function neighbours(value: number): number[] {
  const at = Math.fround(value);
  const bits = new Int32Array(Float32Array.of(at).buffer);
  const step = (by: number) => new Float32Array(Int32Array.of(bits[0]! + by).buffer)[0]!;
  const around = at === 0 ? [-1e-37, 0, 1e-37] : [step(-1), at, step(1)];
  return around.map(Math.fround).sort((a, b) => a - b);
}

type Draw = (random: Random, settings: SplineSettings) => number[];
const parameterKinds: Readonly<Record<string, Draw>> = {
  'of unit size': (random, settings) => Array.from(random.normals(splineParameters(settings))),
  // All bins but one of each axis are as small as they may be, and derivatives are 1e-3 or 20.
  'at their limits': (_, settings) =>
    Array.from({ length: splineParameters(settings) }, (_, p) => {
      if (settings.spline === 'linear') return p === 1 ? 4 : -4;
      if (p < 2 * settings.bins && settings.spline !== 'quadratic') return p === 1 || p === settings.bins + 3 ? 60 : 0;
      return p < settings.bins ? (p === 1 ? 60 : 0) : p % 2 === 0 ? 20 : -20;
    }),
  'equal, so that all bins are': (_, settings) => new Array<number>(splineParameters(settings)).fill(0),
};

const kinds = Object.entries(SPLINES).filter(([, { spline: kind, shift }]) => kind !== 'identity' && shift === undefined);

describe.each(kinds)('%s', (_, settings) => {
  const [low, high, bottom, top] = settings.box;
  const size = Math.max(...settings.box.map(Math.abs));

  test.each(Object.entries(parameterKinds))('knots, the ends, and one float beside each: parameters %s', async (_, draw) => {
    const parameters = draw(new Random(7), settings).map(Math.fround);
    for (const undo of [false, true]) {
      const constants = splineConstants(settings, !undo);
      const [first, last] = undo ? [bottom, top] : [low, high];
      const knots = knotsOfSpline(constants, (p) => parameters[p]!)[undo ? 'y' : 'x'];
      const inside = [...knots.flatMap(neighbours), ...knots.slice(1).map((knot, k) => 0.5 * (knot + knots[k]!))]
        .map(Math.fround)
        .filter((v) => v >= first && v <= last)
        .sort((a, b) => a - b);
      const { value, logDet } = await move(settings, parameters, inside, undo);
      const back = await move(settings, parameters, value, !undo);
      for (const [i, v] of inside.entries()) {
        const place = `${undo ? 'inverse' : 'forward'} at ${v} gives ${value[i]}, log-det ${logDet[i]}`;
        expect(Number.isFinite(value[i]), place).toBe(true);
        expect(Number.isFinite(logDet[i]), place).toBe(true);
        expect(Number.isFinite(back.logDet[i]), place).toBe(true);
        if (i > 0) expect(value[i], place).toBeGreaterThanOrEqual(value[i - 1]! - 2 ** -22 * size);
        // Both values are known to a few units in the last place of the box's ends, and the slope carries one to the other.
        const [exact, exactLogDet] = moveSpline(constants, v, (p) => parameters[p]!);
        const unit = 1.5e-6 * size;
        const steepest = Math.exp(Math.max(logDet[i]!, exactLogDet));
        expect(Math.abs(value[i]! - exact), `${place}, for ${exact}`).toBeLessThan(unit * (1 + steepest));
        const returning = Math.exp(Math.max(back.logDet[i]!, -exactLogDet));
        expect(Math.abs(back.value[i]! - v), `${place} and back ${back.value[i]}`).toBeLessThan(unit * (1 + returning) * (1 + steepest));
      }
      // The ends are the ends, to the bit.
      const ends = await move(settings, parameters, [first, last], undo);
      expect(ends.value).toEqual((undo ? [low, high] : [bottom, top]).map(Math.fround));
    }
  });

  test('outside the box, near and far', async () => {
    const parameters = Array.from(new Random(8).normals(splineParameters(settings)));
    for (const undo of [false, true]) {
      const [first, last] = undo ? [bottom, top] : [low, high];
      const outside = [neighbours(first)[0]!, first - 1, -1e4, -3e38, -Infinity, neighbours(last)[2]!, last + 1, 1e4, 3e38, Infinity].map(
        Math.fround,
      );
      const { value, logDet } = await move(settings, parameters, outside, undo);
      if (settings.tails === 'linear') {
        expect(value).toEqual(outside);
        expect(logDet.every((v) => v === 0)).toBe(true);
      } else if (settings.tails === 'none' && undo) {
        expect([...value, ...logDet].every(Number.isNaN)).toBe(true);
      } else if (settings.tails === 'none') {
        expect(value).toEqual(outside.map((_, i) => (i < 5 ? bottom : top)));
        expect(logDet).toEqual(outside.map(() => -Infinity));
      } else {
        for (const [i, v] of outside.entries()) {
          if (Number.isFinite(v)) {
            expect(value[i]).toBeGreaterThanOrEqual(first);
            expect(value[i]).toBeLessThanOrEqual(last);
            expect(Number.isFinite(logDet[i])).toBe(true);
          } else expect(value[i]).toBeNaN(); // no angle
        }
      }
    }
  });

  test('a NaN among values or parameters is a NaN', async () => {
    const random = new Random(9);
    const parameters = Array.from(random.normals(splineParameters(settings)));
    for (const undo of [false, true]) {
      const middle = undo ? 0.5 * (bottom + top) : 0.5 * (low + high);
      const { value, logDet } = await move(settings, parameters, [middle, Number.NaN, middle], undo);
      expect([value[1], logDet[1]]).toEqual([Number.NaN, Number.NaN]);
      expect([value[0], logDet[0]]).toEqual([value[2], logDet[2]]);
      expect(Number.isFinite(value[0])).toBe(true);
      const broken = await move(settings, [Number.NaN, ...parameters.slice(1)], [middle], undo);
      expect(broken.value[0]).toBeNaN();
    }
  });

  test('a row does not depend on its neighbours in a group of four', async () => {
    const parameters = Array.from(new Random(10).normals(splineParameters(settings)));
    const values = Array.from({ length: 64 }, (_, i) => bottom + ((top - bottom) * (i + 0.3)) / 64);
    const together = await move(settings, parameters, values, true);
    const apart = await move(
      settings,
      parameters,
      values.flatMap((v) => [v, v, v, v]),
      true,
    );
    expect(apart.value.filter((_, i) => i % 4 === 0)).toEqual(together.value);
    expect(apart.logDet.filter((_, i) => i % 4 === 0)).toEqual(together.logDet);
  });
});

test('a box: no density outside, no sample of what is outside', async () => {
  const flow = await neuralSpline(held.gpu, { dim: 2, tails: 'none', box: [-1, 2], layers: 3, hidden: [8], seed: 3 });
  const logProb = await flow.logProb(Float32Array.of(0, 0, -1.5, 0, 0, 2.5, 1e9, -1e9, Number.NaN, 0, 3, Number.NaN));
  expect(Number.isFinite(logProb[0])).toBe(true);
  expect(Array.from(logProb.subarray(1, 4))).toEqual([-Infinity, -Infinity, -Infinity]);
  expect(Array.from(logProb.subarray(4))).toEqual([Number.NaN, Number.NaN]);
  const { x } = await flow.inverse(Float32Array.of(0, 0, 2.5, 0));
  expect(Number.isFinite(x[0]! + x[1]!)).toBe(true);
  expect(x.subarray(2).some(Number.isNaN)).toBe(true);
  const drawn = await flow.sampleWithLogProb(2000, { seed: 1 });
  expect(drawn.x.every((v) => v >= -1 && v <= 2)).toBe(true);
  expect(drawn.logProb.every(Number.isFinite)).toBe(true);
  flow.dispose();
});

test.each(['coupling', 'autoregressive'] as const)('angles: a whole turn changes nothing, %s', async (type) => {
  const flow = await neuralSpline(held.gpu, { dim: 3, type, tails: 'circular', layers: 2, hidden: [16], seed: 4 });
  const x = Float32Array.from({ length: 300 }, (_, i) => ((i * 0.37) % 6) - 3);
  const turned = x.map((v, i) => v + 2 * Math.PI * ((i % 5) - 2));
  const [there, again] = [await flow.logProb(x), await flow.logProb(turned)];
  for (const [i, v] of there.entries()) expect(Math.abs(again[i]! - v)).toBeLessThan(1e-3);
  const { x: drawn } = await flow.sampleWithLogProb(500, { seed: 2 });
  expect(drawn.every((v) => Math.abs(v) <= Math.fround(Math.PI))).toBe(true);
  flow.dispose();
});

/** A golden case as { library, class, constructor }. */
async function wholeFlow(name: string) {
  const golden = await loadGolden(name);
  const { library, class: of, constructor: options } = golden.description as Record<string, never>;
  return { ...golden, whole: { library, class: of, constructor: options } };
}

test.each(['zuko-nsf-d6', 'zuko-nsf-coupling-d4'])('%s as a class of zuko is the flow that is written out', async (name) => {
  const { whole, description, weights, io } = await wholeFlow(name);
  const [derived, written] = [await importTorch(held.gpu, whole, weights), await importTorch(held.gpu, description, weights)];
  const x = Float32Array.from(io.get('x')!.data as Float32Array);
  const context = io.has('context') ? { context: Float32Array.from(io.get('context')!.data as Float32Array) } : {};
  expect(await derived.logProb(x, context)).toEqual(await written.logProb(x, context));
  for (const flow of [derived, written]) flow.dispose();
});

test('zuko.flows.NCSF: half a turn and a spline, a layer, over angles', async () => {
  const { whole, weights } = await wholeFlow('zuko-nsf-d6');
  const { tensors } = readSafetensors(weights);
  const ends = Float32Array.of(-Math.PI - 1e-5, Math.PI + 1e-5);
  const stored = [...tensors].filter(([key]) => !key.startsWith('base.'));
  for (const [i, key] of ['base.lower', 'base.upper'].entries())
    stored.push([key, { dtype: 'F32', shape: [6], data: new Float32Array(6).fill(ends[i]!) }]);
  const file = writeSafetensors(stored);
  const flow = (await importTorch(held.gpu, { ...whole, class: 'zuko.flows.NCSF' }, file)) as GpuFlow;
  const reference = new ReferenceFlow(flow);
  const random = new Random(5);
  const x = Float32Array.from({ length: 600 }, () => 3.1 * (2 * random.uniform() - 1));
  const [logProb, exact] = [await flow.logProb(x), reference.logProb(x)];
  for (const [i, value] of exact.entries()) expect(Math.abs(logProb[i]! - value)).toBeLessThan(2e-3);
  // The first layer by hand, in float64: feature 0 depends on nothing.
  const hyper = (layer: number) => tensors.get(`transform.transforms.0.hyper.${layer}.bias`)!.data as Float32Array;
  const weight = (layer: number) => tensors.get(`transform.transforms.0.hyper.${layer}.weight`)!;
  const masked = (layer: number, input: Float64Array) => {
    const { shape, data } = weight(layer);
    const mask = tensors.get(`transform.transforms.0.hyper.${layer}.mask`)!.data as Uint8Array;
    const inputs = shape[1]!;
    return Float64Array.from(hyper(layer), (bias, o) =>
      input.reduce((sum, v, i) => sum + mask[o * inputs + i]! * (data as Float32Array)[o * inputs + i]! * v, bias),
    );
  };
  const relu = (values: Float64Array) => values.map((v) => Math.max(0, v));
  const outputs = masked(4, relu(masked(2, relu(masked(0, new Float64Array(6))))));
  const settings = { spline: 'rational-quadratic', tails: 'linear', bins: 8, box: [-Math.PI, Math.PI, -Math.PI, Math.PI] } as const;
  const constants = splineConstants({ ...settings, softclip: Math.log(1000) }, true);
  const one = (await importTorch(
    held.gpu,
    { ...whole, class: 'zuko.flows.NCSF', constructor: { ...(whole.constructor as object), transforms: 1 } },
    writeSafetensors(stored.filter(([key]) => !/transforms\.[12]\./.test(key))),
  )) as GpuFlow;
  const { z } = new ReferenceFlow(one).forward(x.subarray(0, 6));
  const turned = x[0]! + Math.PI - (x[0]! >= 0 ? 2 * Math.PI : 0);
  expect(z[0]).toBeCloseTo(moveSpline(constants, turned, (p) => outputs[p]!)[0], 9);
  for (const made of [flow, one]) made.dispose();
});

test.each([false, true])('zuko.flows.NSF of one feature: splines of their own tensors, or of the context alone: %s', async (context) => {
  const random = new Random(6);
  const float = (shape: number[]) => ({ dtype: 'F32' as const, shape, data: random.normals(shape.reduce((a, b) => a * b)) });
  const prefix = 'transform.transforms.0';
  const tensors = context
    ? {
        [`${prefix}.hyper.0.weight`]: [4, 2],
        [`${prefix}.hyper.0.bias`]: [4],
        [`${prefix}.hyper.2.weight`]: [14, 4],
        [`${prefix}.hyper.2.bias`]: [14],
      }
    : { [`${prefix}.phi.0`]: [1, 5], [`${prefix}.phi.1`]: [1, 5], [`${prefix}.phi.2`]: [1, 4] };
  const stored = Object.entries(tensors).map(([key, shape]) => [key, float(shape)] as const);
  const data = new Map(stored.map(([key, { data: values }]) => [key.slice(prefix.length + 1), values]));
  const options = { features: 1, transforms: 1, bins: 5, hidden_features: [4], context: context ? 2 : 0 };
  const flow = await importTorch(held.gpu, { library: 'zuko', class: 'zuko.flows.NSF', constructor: options }, writeSafetensors(stored));
  const c = Float32Array.of(0.3, -1.2);
  const hidden = Array.from({ length: 4 }, (_, o) =>
    context
      ? Math.max(
          0,
          data.get('hyper.0.bias')![o]! + data.get('hyper.0.weight')![2 * o]! * c[0]! + data.get('hyper.0.weight')![2 * o + 1]! * c[1]!,
        )
      : 0,
  );
  const parameter = (p: number) => {
    if (!context) return data.get(`phi.${Math.min(2, Math.floor(p / 5))}`)![p < 10 ? p % 5 : p - 10]!;
    return hidden.reduce((sum, h, k) => sum + h * data.get('hyper.2.weight')![4 * p + k]!, data.get('hyper.2.bias')![p]!);
  };
  const settings = { spline: 'rational-quadratic', tails: 'linear', bins: 5, box: [-5, 5, -5, 5], softclip: Math.log(1000) } as const;
  const x = Float32Array.of(-6, -3, -0.5, 0, 0.7, 2, 4.5);
  const { z, logDet } = await flow.forward(x, context ? { context: c } : {});
  const { x: back } = await flow.inverse(z, context ? { context: c } : {});
  for (const [i, v] of x.entries()) {
    const [value, log] = moveSpline(splineConstants(settings, true), v, parameter);
    expect(z[i]).toBeCloseTo(value, 4);
    expect(logDet[i]).toBeCloseTo(log, 3);
    expect(back[i]).toBeCloseTo(v, 3);
  }
  flow.dispose();
});

describe('what makes no spline says why', () => {
  const options: [string, object, string][] = [
    [
      'a coupling of one feature',
      { dim: 1 },
      "neuralSpline: dim needs at least 2 for a coupling (type 'autoregressive' takes dim 1); got 1",
    ],
    ['a type', { dim: 2, type: 'masked' }, `neuralSpline: type needs 'coupling' or 'autoregressive'; got "masked"`],
    [
      'a kind',
      { dim: 2, kind: 'quartic' },
      `neuralSpline: kind needs 'rational-quadratic', 'linear', 'quadratic' or 'cubic'; got "quartic"`,
    ],
    ['bins', { dim: 2, bins: 0 }, 'neuralSpline: bins needs an integer from 1 to 999; got 0'],
    ['one quadratic bin', { dim: 2, kind: 'quadratic', bins: 1 }, 'neuralSpline: bins needs an integer from 2 to 999; got 1'],
    ['a bound', { dim: 2, bound: -1 }, 'neuralSpline: bound needs a number above 0; got -1'],
    ['an empty box', { dim: 2, tails: 'none', box: [1, 1] }, 'neuralSpline: box needs [low, high] with low < high; got [1,1]'],
    ['a box with tails', { dim: 2, box: [0, 1] }, "neuralSpline: box needs bound with tails 'linear'; got [0,1]"],
    ['a bound without tails', { dim: 2, tails: 'none', bound: 2 }, "neuralSpline: bound needs box with tails 'none'; got 2"],
    [
      'a cubic of angles',
      { dim: 2, kind: 'cubic', tails: 'circular' },
      "neuralSpline: tails needs kind 'rational-quadratic' where they are 'circular'; got \"cubic\"",
    ],
  ];
  test.each(options)('%s', async (_, given, sentence) => {
    const error = await neuralSpline(held.gpu, given as never).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ValueError);
    expect((error as Error).message).toBe(sentence);
  });

  const changes: [string, (spline: Record<string, unknown>) => void, string][] = [
    ['no bound', (s) => delete s.tail_bound, '.spline.tail_bound: needs a number above 0; got undefined'],
    ['wide bins', (s) => Object.assign(s, { min_bin_width: 0.2 }), '.spline.min_bin_width: needs less than 0.125 with 8 bins; got 0.2'],
    ['a divisor of 0', (s) => Object.assign(s, { width_height_divisor: 0 }), '.spline.width_height_divisor: needs a number above 0; got 0'],
    ['a shift of what is no angle', (s) => Object.assign(s, { shift: 1 }), '.spline.shift: needs tails "circular"; got "linear"'],
    ['another kind', (s) => Object.assign(s, { type: 'cubic' }), '.spline.type: needs "durkan" or "zuko" in this op; got "cubic"'],
    ['more bins than the net has outputs', (s) => Object.assign(s, { bins: 9 }), ': the last layer of the net needs 156 outputs; got 138'],
  ];
  test.each(changes)('%s', async (_, change, sentence) => {
    const { description, weights } = await loadGolden('nflows-rqs-ar-d6');
    const copy = structuredClone(description) as { structure: { spline: Record<string, unknown> }[] };
    change(copy.structure[1]!.spline);
    const error = await importTorch(held.gpu, copy, weights).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(FormatError);
    expect((error as Error).message).toContain(`description.structure[1]`);
    expect((error as Error).message).toContain(sentence);
  });
});

test('a saved box flow loads with its base and its ends', async () => {
  const flow = await neuralSpline(held.gpu, { dim: 2, tails: 'none', kind: 'quadratic', box: [0.1, 0.7], layers: 1, hidden: [4] });
  const loaded = await loadFlow(held.gpu, await flow.save());
  expect(await loaded.sample(10, { seed: 1 })).toEqual(await flow.sample(10, { seed: 1 }));
  for (const made of [flow, loaded]) made.dispose();
});

test('the first feature of an autoregressive flow depends on the context too', async () => {
  const flow = await neuralSpline(held.gpu, { dim: 2, type: 'autoregressive', layers: 1, hidden: [16], contextDim: 1, seed: 3 });
  const { z } = await flow.forward(Float32Array.of(0.5, 0.5, 0.5, 0.5), { context: Float32Array.of(-2, 2) });
  expect(z[0]).not.toBe(z[2]);
});
