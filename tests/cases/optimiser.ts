import {
  CONTROL,
  kindsOf,
  METHOD_NUMBER,
  optimiser,
  SCHEDULE_NUMBER,
  SQUARES,
  squareBlocks,
  updateLength,
} from '../../src/kernels/optimiser.js';
import { defineCases, table, ULP } from './case.js';

const hyper = {
  batch: 100,
  total: 1000,
  warmup: 10,
  every: 200,
  learning_rate: 1e-2,
  floor_or_factor: 0.1,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  decay: 0.01,
  clip: 1,
  average_decay: 0.99,
};
/** @param counted numbers of blocks that hold a parameter. */
const paramsOf = (counted: number) => ({ ...hyper, length: counted, blocks: squareBlocks(counted) });
const normals = (length: number, scale = 1) => table((random) => random.normals(length, scale));
const squares = (length: number) => table((random) => random.normals(length).map((value) => value * value));
/** Workgroups of an update, and beyond those that one workgroup squares. */
const LENGTHS = [256, 512, 12_800, 30_208];

/** Numbers of every kind among one another; of every third block from the second on, none. */
const hasNone = (i: number): boolean => Math.floor(i / 256) % 3 === 1;
const countOf = (length: number): number => Array.from({ length }, (_, i) => i).filter((i) => !hasNone(i)).length;
const kinds = (length: number) =>
  table((random) =>
    kindsOf(
      length,
      (i) => !hasNone(i) && (i % 256 === 0 || random.uniform() < 0.7),
      () => random.uniform() < 0.5,
    ),
  );

export const squareSumsCases = defineCases(
  optimiser.squareSums,
  LENGTHS.map((length) => ({
    name: `${length} parameters`,
    rows: 1,
    params: paramsOf(countOf(length)),
    buffers: { gradient: normals(length), kinds: kinds(length), parts: normals(squareBlocks(countOf(length))) },
    tolerance: { bound: SQUARES * ULP, of: 'inputs' as const },
  })),
);

/** State before a step: t steps taken, or one that failed. */
const state = (t: number, failed = 0) => table(() => Float32Array.of(t, 0, 0, 0, 0, 0, failed, 0));

export const controlCases = defineCases(
  optimiser.control,
  [
    ...Object.values(SCHEDULE_NUMBER).flatMap((SCHEDULE) => [0, 4, 10, 499, 999].map((t) => ({ SCHEDULE, t, failed: 0, bad: 1 }))),
    { SCHEDULE: 0, t: 5, failed: 3, bad: 1 },
    { SCHEDULE: 0, t: 5, failed: 0, bad: Number.NaN },
    { SCHEDULE: 0, t: 5, failed: 0, bad: Number.POSITIVE_INFINITY },
  ].map(({ SCHEDULE, t, failed, bad }) => ({
    name: `schedule ${SCHEDULE}, step ${t + 1}${failed > 0 ? ', after a failure' : ''}${Number.isFinite(bad) ? '' : `, a loss of ${bad}`}`,
    rows: 1,
    params: { ...paramsOf(updateLength(1)), blocks: 4 },
    constants: { SCHEDULE },
    buffers: {
      control_state: state(t, failed),
      loss: table((random) => random.normals(4).map((value) => value * bad)),
      losses: normals(1000),
      pieces: squares(4),
    },
    // 1 / (1 − βᵗ) is 1000 at first, and β travels as float32.
    tolerance: { bound: 2e-4 },
  })),
);

interface Update {
  readonly METHOD: number;
  readonly length: number;
  readonly AVERAGE: boolean;
  /** The step that failed, 0 for none. */
  readonly failed: number;
  readonly taken: number;
  readonly MOMENTUM?: boolean;
}

export const updateCases = defineCases(
  optimiser.update,
  [
    ...Object.values(METHOD_NUMBER).flatMap((METHOD) =>
      LENGTHS.map((length) => ({ METHOD, length, AVERAGE: METHOD === METHOD_NUMBER.adam, failed: 0, taken: 3 })),
    ),
    { METHOD: METHOD_NUMBER.adam, length: 512, AVERAGE: true, failed: 7, taken: 3 },
    { METHOD: METHOD_NUMBER.adam, length: 512, AVERAGE: true, failed: 0, taken: 5000 },
    { METHOD: METHOD_NUMBER.sgd, length: 512, AVERAGE: false, failed: 0, taken: 3, MOMENTUM: false },
  ].map(({ METHOD, length, AVERAGE, failed, taken, MOMENTUM = true }: Update) => ({
    name: `method ${METHOD}, ${length} parameters${MOMENTUM ? '' : ', no momentum'}${failed > 0 ? ', after a failure' : ''}${taken > 3 ? ', late' : ''}`,
    rows: 1,
    params: paramsOf(countOf(length)),
    constants: { METHOD, AVERAGE, MOMENTUM },
    buffers: {
      gradient: normals(length),
      settled: table(() => Float32Array.of(taken, 1e-2, 3.69, 333.7, 0.5, 2, failed, 0).subarray(0, CONTROL)),
      parameters: normals(length),
      moment1: normals(length),
      // Away from 0, where a step is any size and its rounding with it.
      moment2: table((random) => random.normals(length).map((value) => 0.1 + value * value)),
      average: normals(length),
      kinds: kinds(length),
    },
    tolerance: { bound: 8 * ULP },
  })),
);
