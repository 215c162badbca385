import { CONTROL, METHOD_NUMBER, NORM_BLOCK, optimiser, SCHEDULE_NUMBER, updateLength } from '../../src/kernels/optimiser.js';
import type { Random } from '../support/random.js';
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
const paramsOf = (length: number) => ({ ...hyper, length, blocks: Math.ceil(length / NORM_BLOCK) });
const normals = (length: number, scale = 1) => table((random) => random.normals(length, scale));
const squares = (length: number) => table((random) => random.normals(length).map((value) => value * value));
const LENGTHS = [1, 3, 257, 4000] as const;

export const squareSumsCases = defineCases(
  optimiser.squareSums,
  LENGTHS.map((length) => ({
    name: `${length} parameters`,
    rows: 1,
    params: paramsOf(length),
    buffers: { gradient: normals(length), parts: normals(Math.ceil(length / NORM_BLOCK)) },
    tolerance: { bound: NORM_BLOCK * ULP, of: 'inputs' as const },
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
    params: paramsOf(1000),
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

/** Numbers, and zeros behind them up to what `update` takes. */
const padded = (length: number, make: (random: Random) => Float32Array<ArrayBuffer>) =>
  table((random) => {
    const whole = new Float32Array(updateLength(length));
    whole.set(make(random));
    return whole;
  });
const paddedNormals = (length: number) => padded(length, (random) => random.normals(length));

interface Update {
  readonly METHOD: number;
  readonly length: number;
  readonly AVERAGE: boolean;
  /** The step that failed, 0 for none. */
  readonly failed: number;
  readonly taken: number;
  readonly DECAYS?: boolean;
}

export const updateCases = defineCases(
  optimiser.update,
  [
    ...Object.values(METHOD_NUMBER).flatMap((METHOD) =>
      LENGTHS.map((length) => ({ METHOD, length, AVERAGE: METHOD === METHOD_NUMBER.adam, failed: 0, taken: 3 })),
    ),
    { METHOD: METHOD_NUMBER.adam, length: 257, AVERAGE: true, failed: 7, taken: 3 },
    { METHOD: METHOD_NUMBER.adam, length: 257, AVERAGE: true, failed: 0, taken: 5000 },
    ...[METHOD_NUMBER.sgd, METHOD_NUMBER.adamw].map((METHOD) => ({
      METHOD,
      length: 257,
      AVERAGE: false,
      failed: 0,
      taken: 3,
      DECAYS: false,
    })),
  ].map(({ METHOD, length, AVERAGE, failed, taken, DECAYS = true }: Update) => ({
    name: `method ${METHOD}, ${length} parameters${DECAYS ? '' : ', no decay'}${failed > 0 ? ', after a failure' : ''}${taken > 3 ? ', late' : ''}`,
    rows: 1,
    params: paramsOf(length),
    constants: { METHOD, AVERAGE, DECAYS },
    buffers: {
      gradient: paddedNormals(length),
      settled: table(() => Float32Array.of(taken, 1e-2, 3.69, 333.7, 0.5, 2, failed, 0).subarray(0, CONTROL)),
      parameters: paddedNormals(length),
      moment1: paddedNormals(length),
      // Away from 0, where a step is any size and its rounding with it.
      moment2: padded(length, (random) => random.normals(length).map((value) => 0.1 + value * value)),
      average: paddedNormals(length),
      decays: padded(length, (random) => Float32Array.from({ length }, () => Math.round(random.uniform()))),
    },
    tolerance: { bound: 8 * ULP },
  })),
);
