// What every flow has to satisfy, on the flows of table.ts. Inputs are fresh in every run; a failure prints the seed.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GpuFlow } from '../../src/flows/flow.js';
import { descriptionFromMetadata } from '../../src/format/format.js';
import { readSafetensors } from '../../src/format/safetensors.js';
import { loadFlow, nice, realNVP, ValueError } from '../../src/index.js';
import { dependencyPattern } from '../support/dependency.js';
import { useGpu } from '../support/gpu.js';
import { logAbsDeterminant } from '../support/linear-algebra.js';
import { freshSeed, Random } from '../support/random.js';
import { ReferenceFlow } from '../support/reference-flow.js';
import { flows, type Traits } from './table.js';

// By the kernels that most adapters run. What a rule chooses is compared with them kernel by kernel, and runs whole flows in golden.test.ts.
const held = useGpu({ ruled: false });

/** Largest |got − want| / (1 + |want|); infinity where one is NaN and the other is not. */
function mixedError(got: ArrayLike<number>, want: ArrayLike<number>): number {
  expect(got.length).toBe(want.length);
  let worst = 0;
  for (let i = 0; i < got.length; i++) {
    if (got[i] === want[i] || (Number.isNaN(got[i]) && Number.isNaN(want[i]))) continue;
    const error = Math.abs(got[i]! - want[i]!) / (1 + Math.abs(want[i]!));
    if (!(error <= worst)) worst = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
  }
  return worst;
}

const bits = (values: Float32Array): Uint32Array => new Uint32Array(values.buffer, values.byteOffset, values.length);

/** dz/dx of one row by central differences in float64, row-major [D, D]. The error is that of the cube of the step, and rounding. */
function jacobian(reference: ReferenceFlow, x: Float64Array, context: Float32Array | undefined): Float64Array {
  const { dim } = reference;
  const step = 1e-6;
  const points = new Float64Array(2 * dim * dim);
  for (let j = 0; j < 2 * dim; j++) {
    points.set(x, j * dim);
    points[j * dim + (j >> 1)]! += j % 2 === 0 ? step : -step;
  }
  const { z } = reference.forward(points, context);
  const result = new Float64Array(dim * dim);
  for (let i = 0; i < dim; i++)
    for (let j = 0; j < dim; j++) result[i * dim + j] = (z[2 * j * dim + i]! - z[(2 * j + 1) * dim + i]!) / (2 * step);
  return result;
}

/** Errors that the device may show beside float64, relative to 1 + |value|: a few hundred roundings, carried through the layers. */
const TOLERANCE = 5e-6;

/** Values of a bounded support, drawn well inside it; of the whole line, standard normals times `scale`. */
function valuesIn(random: Random, count: number, support: Traits['support'], scale = 1): Float32Array<ArrayBuffer> {
  if (!support) return random.normals(count, scale);
  const [low, high] = support;
  return Float32Array.from({ length: count }, () => low + (high - low) * (0.02 + 0.96 * random.uniform()));
}

/** Context rows; the last feature of each is a class where there are classes. */
function contextRows(random: Random, rows: number, contextDim: number, classes = 0): Float32Array<ArrayBuffer> {
  const values = random.normals(rows * contextDim);
  for (let at = contextDim - 1; classes > 0 && at < values.length; at += contextDim) values[at] = random.integer(classes);
  return values;
}

describe.each(flows)('$name', ({ make, traits }) => {
  const { support, latentSupport, tolerance = TOLERANCE, exactTolerance = 1e-9 } = traits;
  let flow: GpuFlow;
  let reference: ReferenceFlow;
  let random: Random;
  let note: string;
  const inputs = (rows: number, scale = 1) => valuesIn(random, rows * flow.dim, support, scale);
  const latents = (rows: number) => valuesIn(random, rows * flow.dim, latentSupport);
  /** A context row each, or one for all. */
  const contextFor = (rows: number) => (flow.contextDim > 0 ? contextRows(random, rows, flow.contextDim, traits.classes) : undefined);
  const option = (context: Float32Array | undefined) => (context ? { context } : {});

  beforeAll(async () => {
    flow = await make(held.gpu);
    reference = new ReferenceFlow(flow);
    random = new Random(freshSeed());
    note = `VITE_TEST_SEED=${random.seed}`;
  });
  afterAll(() => flow.dispose());

  test('round trips close and log-dets cancel, in float64 and on the device', async () => {
    const rows = 50;
    const [context, x] = [contextFor(rows), inputs(rows)];
    const there = reference.forward(x, context);
    const back = reference.inverse(there.z, context);
    expect(mixedError(back.x, x), note).toBeLessThan(exactTolerance);
    expect(
      mixedError(
        there.logDet,
        back.logDet.map((v) => -v),
      ),
      note,
    ).toBeLessThan(exactTolerance);

    const forward = await flow.forward(x, option(context));
    const inverse = await flow.inverse(forward.z, option(context));
    expect(mixedError(inverse.x, x), note).toBeLessThan(tolerance);
    expect(
      mixedError(
        forward.logDet,
        inverse.logDet.map((v) => -v),
      ),
      note,
    ).toBeLessThan(tolerance);

    const z = latents(rows);
    const inverseFirst = await flow.inverse(z, option(context));
    const forwardAfter = await flow.forward(inverseFirst.x, option(context));
    expect(mixedError(forwardAfter.z, z), note).toBeLessThan(tolerance);
    expect(
      mixedError(
        inverseFirst.logDet,
        forwardAfter.logDet.map((v) => -v),
      ),
      note,
    ).toBeLessThan(tolerance);
  });

  test.each([1, 3, 257])('the device agrees with float64 on %i rows', async (rows) => {
    const [context, x, z] = [contextFor(rows), inputs(rows), latents(rows)];
    const [forward, inverse] = [await flow.forward(x, option(context)), await flow.inverse(z, option(context))];
    const [exactForward, exactInverse] = [reference.forward(x, context), reference.inverse(z, context)];
    const drawn = await flow.sampleWithLogProb(rows, { seed: 7, ...option(context) });
    const exactDrawn = reference.sampleWithLogProb(rows, 7, context);
    const errors = {
      z: mixedError(forward.z, exactForward.z),
      logDet: mixedError(forward.logDet, exactForward.logDet),
      x: mixedError(inverse.x, exactInverse.x),
      inverseLogDet: mixedError(inverse.logDet, exactInverse.logDet),
      logProb: mixedError(await flow.logProb(x, option(context)), reference.logProb(x, context)),
      draw: mixedError(drawn.x, exactDrawn.x),
      drawLogProb: mixedError(drawn.logProb, exactDrawn.logProb),
    };
    for (const [name, error] of Object.entries(errors)) expect(error, `${name}, ${note}`).toBeLessThan(tolerance);
    // The sampling direction and the density direction tell the same density of the same draw.
    expect(mixedError(drawn.logProb, reference.logProb(drawn.x, context)), note).toBeLessThan(10 * tolerance);
    expect(bits(await flow.sample(rows, { seed: 7, ...option(context) }))).toEqual(bits(drawn.x));
  });

  test('one context row for all rows equals the same row for each', async () => {
    if (flow.contextDim === 0) return;
    const [row, x] = [contextFor(1)!, inputs(70)];
    const repeated = Float32Array.from({ length: 70 * row.length }, (_, i) => row[i % row.length]!);
    expect(bits(await flow.logProb(x, { context: row }))).toEqual(bits(await flow.logProb(x, { context: repeated })));
    expect(mixedError(await flow.logProb(x, { context: row }), reference.logProb(x, row)), note).toBeLessThan(tolerance);
    // And the context matters.
    expect(mixedError(reference.logProb(x, row), reference.logProb(x, contextFor(1)))).toBeGreaterThan(1e-4);
  });

  test('log-det is that of the numerical Jacobian', () => {
    if (flow.dim > 5) return;
    for (let trial = 0; trial < 5; trial++) {
      const [context, x] = [contextFor(1), Float64Array.from(inputs(1))];
      const [exact] = reference.forward(x, context).logDet;
      expect(logAbsDeterminant(jacobian(reference, x, context), flow.dim), note).toBeCloseTo(exact!, 6);
    }
  });

  test('the Jacobian is zero where the structure says so, and not elsewhere', async () => {
    const { structure } = descriptionFromMetadata(readSafetensors(await flow.save()).metadata);
    const pattern = dependencyPattern(structure, flow.dim);
    if (flow.dim > 5 && pattern.every((open) => open === 1)) return;
    const [context, x] = [contextFor(1), Float64Array.from(inputs(1))];
    const matrix = jacobian(reference, x, context);
    let [open, filled] = [0, 0];
    for (const [at, entry] of matrix.entries()) {
      const [i, j] = [Math.floor(at / flow.dim), at % flow.dim];
      if (pattern[at] === 0) expect(entry, `dz[${i}] / dx[${j}], ${note}`).toBe(0);
      else if (i !== j) {
        open++;
        if (entry !== 0) filled++;
      }
    }
    expect(filled, note).toBeGreaterThanOrEqual(0.2 * open);
  });

  test('the density integrates to 1', async () => {
    if (flow.dim > 2) return;
    const context = contextFor(1);
    const { points, volume } = grid(flow.dim, support ?? [-16, 16], flow.dim === 1 ? 4096 : 400);
    const density = (await flow.logProb(points, option(context))).reduce((sum, value) => sum + Math.exp(value), 0);
    expect(Math.abs(density * volume - 1), note).toBeLessThan(2e-3);
  });

  test('draws follow the density', async () => {
    if (flow.dim > 2) return;
    const context = contextFor(1);
    const { dim } = flow;
    const [count, cells, inside] = [60_000, dim === 1 ? 64 : 24, 8];
    const [low, high] = support ?? [-6, 6];
    const draws = await flow.sample(count, { seed: 20, ...option(context) });
    const { points, volume } = grid(dim, [low, high], cells * inside);
    const density = await flow.logProb(points, option(context));
    const cellOf = (row: ArrayLike<number>, at: number) => {
      let cell = 0;
      for (let f = 0; f < dim; f++) {
        const place = Math.floor(((row[at * dim + f]! - low) / (high - low)) * cells);
        if (place < 0 || place >= cells) return -1;
        cell = cell * cells + place;
      }
      return cell;
    };
    const expected = new Float64Array(cells ** dim);
    for (const [i, value] of density.entries()) expected[cellOf(points, i)]! += count * Math.exp(value) * volume;
    const observed = new Float64Array(expected.length);
    for (let i = 0; i < count; i++) {
      const cell = cellOf(draws, i);
      if (cell >= 0) observed[cell]!++;
    }
    // Pearson's chi-square over the cells that expect 10 draws or more.
    let chiSquare = 0;
    let used = 0;
    let covered = 0;
    for (const [cell, mean] of expected.entries()) {
      if (mean < 10) continue;
      used++;
      covered += mean;
      chiSquare += (observed[cell]! - mean) ** 2 / mean;
    }
    expect(covered / count).toBeGreaterThan(0.9);
    // Mean and deviation of chi-square with `used` degrees of freedom; 5 deviations are passed once in a few thousand runs.
    expect(chiSquare, `${used} cells, ${note}`).toBeLessThan(used + 5 * Math.sqrt(2 * used));
  });

  test('save and loadFlow give the same bits', async () => {
    const loaded = await loadFlow(held.gpu, await flow.save());
    const [context, x] = [contextFor(70), inputs(70)];
    const sampling = { seed: 3, ...option(context) };
    expect(bits(await loaded.sample(70, sampling))).toEqual(bits(await flow.sample(70, sampling)));
    expect(bits(await loaded.logProb(x, option(context)))).toEqual(bits(await flow.logProb(x, option(context))));
    loaded.dispose();
  });

  test('a NaN stays in its row', async () => {
    const [rows, bad] = [70, 5];
    const [context, x, z] = [contextFor(rows), inputs(rows), latents(rows)];
    for (const feature of new Set([0, flow.dim - 1])) {
      const [broken, brokenLatent] = [x.slice(), z.slice()];
      for (const values of [broken, brokenLatent]) values[bad * flow.dim + feature] = Number.NaN;
      const clean = await flow.logProb(x, option(context));
      const got = await flow.logProb(broken, option(context));
      expect(got[bad]).toBeNaN();
      got[bad] = clean[bad]!;
      expect(bits(got)).toEqual(bits(clean));
      const [inverse, cleanInverse] = [await flow.inverse(brokenLatent, option(context)), await flow.inverse(z, option(context))];
      const row = [bad * flow.dim, (bad + 1) * flow.dim] as const;
      expect(inverse.x.subarray(...row).some(Number.isNaN)).toBe(true);
      inverse.x.set(cleanInverse.x.subarray(...row), row[0]);
      expect(bits(inverse.x)).toEqual(bits(cleanInverse.x));
    }
  });

  test('inputs of ±10^4 give what float64 gives, or an infinity where float32 ends', async () => {
    // Fixed inputs: a stretching flow of many features is chaotic out there, and any bound would be passed once in a while.
    const rows = 64;
    const fixed = new Random(1);
    const context = flow.contextDim > 0 ? contextRows(fixed, rows, flow.contextDim, traits.classes) : undefined;
    const x = fixed.normals(rows * flow.dim).map((value) => Math.sign(value) * 1e4);
    const stored = new ReferenceFlow(flow, 'float32');
    const check = (name: string, got: Float32Array, want: Float64Array, narrow: Float64Array) => {
      for (const [i, value] of got.entries()) {
        const exact = want[i]!;
        const place = `${name}[${i}] is ${value} for ${exact}, ${narrow[i]} where float32 is stored`;
        if (Number.isFinite(value)) {
          // The other features of the row went through the same sums, so the row's largest value is the scale of the rounding; and
          // layers that stretch magnify it, by as much as they magnify the rounding of what is stored.
          const width = got.length / rows;
          const first = i - (i % width);
          const row = Array.from({ length: width }, (_, feature) => first + feature);
          const scale = Math.max(1, ...row.map((at) => Math.abs(want[at]!)));
          const drift = Math.max(...row.map((at) => Math.abs(narrow[at]! - want[at]!)));
          if (Number.isFinite(scale + drift)) expect(Math.abs(value - exact), place).toBeLessThanOrEqual(1e-3 * scale + 30 * drift);
        } else if (Number.isNaN(value)) expect(narrow[i], place).toBeNaN();
        else expect(Math.abs(narrow[i]!) < 1e30, place).toBe(false);
      }
    };
    const [forward, exact, narrow] = [await flow.forward(x, option(context)), reference.forward(x, context), stored.forward(x, context)];
    check('z', forward.z, exact.z, narrow.z);
    check('logDet', forward.logDet, exact.logDet, narrow.logDet);
    check('logProb', await flow.logProb(x, option(context)), reference.logProb(x, context), stored.logProb(x, context));
    const inverse = await flow.inverse(x, option(context));
    const [exactInverse, narrowInverse] = [reference.inverse(x, context), stored.inverse(x, context)];
    check('x', inverse.x, exactInverse.x, narrowInverse.x);
    check('inverse logDet', inverse.logDet, exactInverse.logDet, narrowInverse.logDet);
  });
});

/** Midpoints of `cells` intervals a side of [low, high]^D, and the volume of a cell. */
function grid(dim: number, [low, high]: readonly [number, number], cells: number): { points: Float32Array; volume: number } {
  const side = (high - low) / cells;
  const points = new Float32Array(cells ** dim * dim);
  for (let i = 0; i < cells ** dim; i++)
    for (let f = 0; f < dim; f++) points[i * dim + f] = low + side * (0.5 + (Math.floor(i / cells ** (dim - 1 - f)) % cells));
  return { points, volume: side ** dim };
}

test.each([
  ['nice', nice],
  ['realNVP', realNVP],
] as const)('%s refuses D = 1, since a coupling needs two features', async (name, make) => {
  const error = await make(held.gpu, { dim: 1 }).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(ValueError);
  expect(String(error)).toContain(`${name}: dim`);
  expect(String(error)).toContain('at least 2');
});
