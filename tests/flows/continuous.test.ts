// Continuous flows: the field and its divergence, orders of the solvers, estimates of the trace. Adaptive solves: adaptive.test.ts.

import { describe, expect, test } from 'vitest';
import { buildField } from '../../src/flows/build/continuous.js';
import { StateReader } from '../../src/flows/build/state.js';
import { type Divergence, VectorField } from '../../src/flows/continuous/field.js';
import { recordSlope, solveOf } from '../../src/flows/continuous/steps.js';
import type { GpuFlow } from '../../src/flows/flow.js';
import { TensorWriter } from '../../src/flows/recipes/initial.js';
import { recordContext, recordInput, recordOutput } from '../../src/flows/task.js';
import type { Activation, NetDescription } from '../../src/format/description.js';
import { readSafetensors, type StoredTensor, writeSafetensors } from '../../src/format/safetensors.js';
import { FormatError, ffjord, importTorch, UnsupportedError, ValueError } from '../../src/index.js';
import { ACTIVATION_NUMBER } from '../../src/kernels/activation.js';
import type { Program } from '../../src/runtime/program.js';
import { Recorder } from '../../src/runtime/recorder.js';
import { runOnArrays } from '../../src/runtime/run-arrays.js';
import { activate } from '../reference/activation.js';
import { runProgram } from '../reference/run.js';
import { expectSameBits, numbered } from '../support/buffers.js';
import { expectError, wrong } from '../support/errors.js';
import { input, loadGolden, numbers } from '../support/golden.js';
import { useGpu } from '../support/gpu.js';
import { freshSeed, Random } from '../support/random.js';
import { ReferenceFlow } from '../support/reference-flow.js';

const held = useGpu();

/** f(t, x) and its divergence: x [rows, dim] and a context [rows, C] to result [rows, dim + 1]. */
function fieldProgram(field: VectorField, time: number): Program {
  const r = new Recorder('field');
  const data = new Float32Array(field.tableSize);
  field.writeTable(time, data);
  const solve = solveOf(r, field, recordContext(r, field.contextDim), field.dim + 1, r.constant(data, 'time'), r.constant(data, 'time'));
  const result = r.tiled(field.dim + 1, 'result');
  recordSlope(r, solve, recordInput(r, 'x', field.dim), result, 0, 0);
  recordOutput(r, 'result', result);
  return r.finish();
}

async function onDevice(program: Program, rows: number, inputs: Record<string, Float32Array>): Promise<Float32Array> {
  const residents = held.gpu.residents();
  const executable = await held.gpu.compile(program, residents);
  const result = new Float32Array(rows * program.externals.result!.features);
  await runOnArrays(held.gpu, executable, 'field', { rows, seed: 0, contextStride: 1, inputs, outputs: { result } });
  executable.dispose();
  residents.dispose();
  return result;
}

const mixed = (got: ArrayLike<number>, want: ArrayLike<number>): number => {
  expect(got.length).toBe(want.length);
  return Array.from(got).reduce((worst, value, i) => Math.max(worst, Math.abs(value - want[i]!) / (1 + Math.abs(want[i]!))), 0);
};

/** The formulas of docs/format.md, row by row, from the tensors alone. */
function plainField(
  net: NetDescription,
  tensors: ReadonlyMap<string, StoredTensor>,
  time: number,
  x: readonly number[],
  context: readonly number[],
): number[] {
  const get = (name: string) => Array.from(tensors.get(name)!.data as Float32Array);
  const linear = (name: string, inputs: readonly number[]) => {
    const [weight, bias] = [get(`${name}.weight`), get(`${name}.bias`)];
    return bias.map((value, o) => inputs.reduce((sum, input, i) => sum + weight[o * inputs.length + i]! * input, value));
  };
  const names = net.type === 'concat_squash_mlp' ? net.layers : 'linears' in net ? net.linears : [];
  let h = [...x];
  for (const [index, name] of names.entries()) {
    const read = index === 0 ? [...h, ...context] : h;
    if (net.type === 'concat_mlp') h = linear(name, [time, ...read]);
    else if (net.type === 'concat_squash_mlp') {
      const gate = linear(`${name}._hyper_gate`, [time]);
      const shift = get(`${name}._hyper_bias.weight`);
      h = linear(`${name}._layer`, read).map((value, o) => value / (1 + Math.exp(-gate[o]!)) + shift[o]! * time);
    } else if (net.type === 'fourier_mlp' && index === 0) {
      const angles = get(net.freqs).map((frequency) => frequency * time);
      h = linear(name, [...angles.map(Math.cos), ...angles.map(Math.sin), ...read]);
    } else h = linear(name, read);
    if (index + 1 < names.length) h = h.map((value) => activate(ACTIVATION_NUMBER[(net as { activation: Activation }).activation], value));
  }
  return h;
}

describe('the vector field and its divergence', () => {
  test.each(['cnf-d2', 'cnf-d6'])('%s at the times of the golden case', async (name) => {
    const { io, description, weights } = await loadGolden(name);
    const [{ net }] = (description as { structure: [{ net: NetDescription }] }).structure;
    const x = input(io, 'x')!;
    const dim = description.features as number;
    const rows = x.length / dim;
    const field = new VectorField(
      buildField(new StateReader(readSafetensors(weights).tensors), net, { inputs: dim, contextDim: 0 }, 'net'),
      { type: 'exact' },
    );
    for (const [i, time] of numbers(io, 'field_times').entries()) {
      const want = new Float64Array(rows * (dim + 1));
      const [values, traces] = [numbers(io, `field_t${i}`), numbers(io, `field_trace_t${i}`)];
      for (let row = 0; row < rows; row++) {
        want.set(values.subarray(row * dim, (row + 1) * dim), row * (dim + 1));
        want[row * (dim + 1) + dim] = traces[row]!;
      }
      const program = fieldProgram(field, time);
      // Biases at a time are rounded to float32 once, which float64 sees.
      expect(mixed(runProgram(program, { rows, externals: { x: Float64Array.from(x) } }).result!, want), `t = ${time}`).toBeLessThan(5e-7);
      expect(mixed(await onDevice(program, rows, { x }), want), `t = ${time}`).toBeLessThan(3e-6);
    }
  });

  const kinds = ['concat_mlp', 'concat_squash_mlp', 'fourier_mlp', 'zuko_mlp'] as const;
  const cases = kinds.flatMap((kind) =>
    ([[7], [9, 16], [5, 26, 8]] as const).flatMap((hidden) => [0, 2].map((contextDim) => ({ kind, hidden, contextDim }))),
  );
  const activations: readonly Activation[] = ['tanh', 'softplus', 'silu', 'elu', 'sigmoid'];

  test.each(cases)('$kind, hidden $hidden, context $contextDim', async ({ kind, hidden, contextDim }) => {
    const [dim, rows, time] = [3, 70, 0.37];
    const random = new Random(freshSeed());
    const note = `VITE_TEST_SEED=${random.seed}`;
    const activation = activations[random.integer(activations.length)]!;
    const writer = new TensorWriter(random.integer(2 ** 31));
    const widths = [dim, ...hidden, dim];
    const names = widths.slice(1).map((_, i) => `l.${i}`);
    for (const [i, name] of names.entries()) {
      const inputs = widths[i]! + (i === 0 ? contextDim : 0);
      const outputs = widths[i + 1]!;
      if (kind === 'concat_squash_mlp') {
        writer.linear(`${name}._layer`, inputs, outputs);
        writer.weight(`${name}._hyper_bias`, 1, outputs);
        writer.linear(`${name}._hyper_gate`, 1, outputs);
      } else writer.linear(name, inputs + (kind === 'concat_mlp' ? 1 : kind === 'fourier_mlp' && i === 0 ? 6 : 0), outputs);
    }
    // Three times the usual weights, so that the divergence is worth a comparison behind three sigmoids too.
    for (const { data } of writer.tensors.values()) for (let i = 0; i < data.length; i++) (data as Float32Array)[i]! *= 3;
    if (kind === 'fourier_mlp') writer.float('freqs', [3], Float32Array.of(Math.PI, 2 * Math.PI, 3 * Math.PI));
    const shared = { activation, context_concat: contextDim > 0 };
    const net: NetDescription =
      kind === 'concat_squash_mlp'
        ? { type: kind, layers: names, ...shared }
        : kind === 'fourier_mlp'
          ? { type: kind, linears: names, freqs: 'freqs', ...shared }
          : kind === 'concat_mlp'
            ? { type: kind, linears: names, time_column: 0, ...shared }
            : { type: kind, linears: names, ...shared };
    const state = new StateReader(writer.tensors);
    const data = buildField(state, net, { inputs: dim, contextDim }, 'net');
    state.finish(); // every tensor was read
    const make = (divergence: Divergence) => new VectorField(data, divergence);
    const program = fieldProgram(make({ type: 'exact' }), time);
    const [x, context] = [random.normals(rows * dim), random.normals(rows * contextDim)];
    const given = (values: Float32Array | Float64Array) => ({
      x: Float64Array.from(values),
      ...(contextDim > 0 && { context: Float64Array.from(context) }),
    });
    const at = (values: Float32Array | Float64Array) => runProgram(program, { rows, externals: given(values) }).result!;
    const exact = at(x);
    const rowOf = (values: Float32Array, row: number, width: number) => Array.from(values.subarray(row * width, (row + 1) * width));
    for (const row of [0, 69]) {
      const want = plainField(net, writer.tensors, time, rowOf(x, row, dim), rowOf(context, row, contextDim));
      expect(mixed(exact.subarray(row * (dim + 1), row * (dim + 1) + dim), want), `${activation}, ${note}`).toBeLessThan(2e-6);
    }
    const trace = new Float64Array(rows);
    for (let f = 0; f < dim; f++) {
      const moved = (by: number) => at(Float64Array.from(x, (value, i) => value + (i % dim === f ? by : 0)));
      const [up, down] = [moved(1e-5), moved(-1e-5)];
      for (let row = 0; row < rows; row++) trace[row]! += (up[row * (dim + 1) + f]! - down[row * (dim + 1) + f]!) / 2e-5;
    }
    const divergences = Float64Array.from(trace, (_, row) => exact[row * (dim + 1) + dim]!);
    expect(mixed(divergences, trace), `${activation}, ${note}`).toBeLessThan(activation === 'elu' ? 1e-4 : 1e-8); // elu has a kink in its slope
    expect(Math.max(...divergences.map(Math.abs)), note).toBeGreaterThan(1e-4);
    expect(mixed(await onDevice(program, rows, { x, ...(contextDim > 0 && { context }) }), exact), `${activation}, ${note}`).toBeLessThan(
      5e-6,
    );
    // The time matters, unless the field ignores it.
    const later = runProgram(fieldProgram(make({ type: 'exact' }), 0.9), { rows, externals: given(x) }).result!;
    expect(mixed(later, exact) > 1e-4).toBe(kind !== 'zuko_mlp');
    // Estimates: what a probe reads is the Jacobian that the exact trace reads.
    const estimated = (divergence: Divergence, seed: number) =>
      runProgram(fieldProgram(make(divergence), time), { rows, seed, externals: given(x) }).result!;
    const errors: number[] = [];
    for (let seed = 0; seed < 40; seed++) {
      const got = estimated({ type: 'rademacher', probes: 3, stream: 1 }, seed);
      for (let row = 0; row < rows; row++) errors.push(got[row * (dim + 1) + dim]! - divergences[row]!);
    }
    const mean = errors.reduce((sum, value) => sum + value, 0) / errors.length;
    const deviation = Math.sqrt(errors.reduce((sum, value) => sum + value * value, 0)) / errors.length;
    expect(deviation, note).toBeGreaterThan(0);
    expect(Math.abs(mean), note).toBeLessThan(5 * deviation);
  });
});

describe('orders of the solvers', () => {
  test.each([
    ['euler', 1, 16],
    ['midpoint', 2, 8],
    ['rk4', 4, 6],
    ['rk4_38', 4, 6],
    ['dopri5', 5, 4],
  ] as const)('%s has order %i', async (method, order, first) => {
    const { io, description, weights } = await loadGolden('cnf-d6');
    const error = async (steps: number) => {
      const structure = (description.structure as object[]).map((op) => ({ ...op, solver: { method, steps } }));
      const flow = (await importTorch(held.gpu, { ...description, structure }, weights)) as GpuFlow;
      const { z, logDet } = new ReferenceFlow(flow).forward(numbers(io, 'x'));
      flow.dispose();
      const rms = (got: Float64Array, want: Float64Array) =>
        Math.sqrt(got.reduce((sum, v, i) => sum + (v - want[i]!) ** 2, 0) / got.length);
      return [rms(z, numbers(io, 'z')), rms(logDet, numbers(io, 'log_abs_det'))] as const;
    };
    const [coarse, fine] = [await error(first), await error(2 * first)];
    for (const i of [0, 1] as const) {
      const observed = Math.log2(coarse[i] / fine[i]);
      expect(observed, `${coarse[i]} to ${fine[i]}`).toBeGreaterThan(order - 0.4);
      expect(observed, `${coarse[i]} to ${fine[i]}`).toBeLessThan(order + 1.2);
    }
  });
});

describe('an estimated divergence', () => {
  const dim = 4;
  const rows = 20_000;
  const flowOf = (divergence?: object) =>
    ffjord(held.gpu, { dim, hidden: [16], solver: { method: 'euler', steps: 1 }, seed: 9, ...wrong<object>(divergence && { divergence }) });
  const moments = (values: Float32Array) => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1) };
  };

  test.each([
    ['gaussian', 1],
    ['gaussian', 4],
    ['rademacher', 1],
    ['rademacher', 4],
  ] as const)('%s, probes %i: its mean is the trace, its variance the stated one', async (estimator, probes) => {
    // One Euler step over [0, 1]: the log-det is eps^T J eps itself, and every row has the same x, hence the same J.
    const point = Float32Array.of(0.3, -0.8, 1.1, 0.4);
    const exact = (await flowOf()) as GpuFlow;
    const reference = new ReferenceFlow(exact);
    const jacobian = Array.from({ length: dim }, (_, j) => {
      const [up, down] = [1e-5, -1e-5].map((by) => reference.forward(Float64Array.from(point, (v, i) => v + (i === j ? by : 0))).z);
      return Array.from({ length: dim }, (_, i) => (up![i]! - down![i]!) / 2e-5 - (i === j ? 1 : 0));
    });
    const trace = reference.forward(point).logDet[0]!;
    let variance = 0;
    for (let i = 0; i < dim; i++)
      for (let j = 0; j < dim; j++)
        if (estimator === 'gaussian' || i !== j) variance += (2 * ((jacobian[i]![j]! + jacobian[j]![i]!) / 2) ** 2) / probes;
    const flow = await flowOf({ estimator, probes });
    const x = Float32Array.from({ length: rows * dim }, (_, i) => point[i % dim]!);
    const found = moments((await flow.forward(x, { seed: 5 })).logDet);
    expect(Math.abs(found.mean - trace)).toBeLessThan(5 * Math.sqrt(variance / rows));
    expect(found.variance / variance).toBeGreaterThan(0.9);
    expect(found.variance / variance).toBeLessThan(1.1);
    for (const one of [exact, flow]) one.dispose();
  });

  test('the seed of the call decides it, and one noise serves both directions', async () => {
    const flow = await ffjord(held.gpu, {
      dim: 5,
      layers: 2,
      hidden: [16],
      seed: 3,
      divergence: { estimator: 'gaussian' },
      solver: { method: 'dopri5', steps: 6 },
    });
    const x = numbered(100 * 5);
    const forward = await flow.forward(x, { seed: 8 });
    const inverse = await flow.inverse(forward.z, { seed: 8 });
    expect(
      mixed(
        inverse.logDet,
        forward.logDet.map((v) => -v),
      ),
    ).toBeLessThan(5e-6);
    expectSameBits((await flow.forward(x, { seed: 8 })).logDet, forward.logDet);
    expectSameBits(await flow.logProb(x), await flow.logProb(x, { seed: 0 }));
    expect(mixed((await flow.forward(x, { seed: 9 })).logDet, forward.logDet)).toBeGreaterThan(1e-3);
    expectSameBits((await flow.forward(x, { seed: 9 })).z, forward.z);
    const drawn = await flow.sampleWithLogProb(100, { seed: 8 });
    expect(mixed(await flow.logProb(drawn.x, { seed: 8 }), drawn.logProb)).toBeLessThan(1e-5);
    flow.dispose();
  });

  test('layers draw noise of their own', async () => {
    const noises = [0, 1].map((stream) => {
      const writer = new TensorWriter(1);
      writer.linear('a', 3, 4);
      writer.linear('b', 5, 2);
      const net: NetDescription = { type: 'concat_mlp', linears: ['a', 'b'], activation: 'tanh', time_column: 0 };
      const field = new VectorField(buildField(new StateReader(writer.tensors), net, { inputs: 2, contextDim: 0 }, 'net'), {
        type: 'gaussian',
        probes: 1,
        stream,
      });
      const r = new Recorder('noise');
      recordOutput(r, 'noise', field.recordProbes(r)!);
      return runProgram(r.finish(), { rows: 4, externals: {} }).noise!;
    });
    expect(mixed(noises[0]!, noises[1]!)).toBeGreaterThan(0.1);
  });
});

test("zuko's CNF comes with its times and its base, and refuses other times", async () => {
  const writer = new TensorWriter(7);
  writer.float('transform.times', [2], Float32Array.of(0, 1));
  writer.float('transform.freqs', [3], Float32Array.of(Math.PI, 2 * Math.PI, 3 * Math.PI));
  writer.linear('transform.ode.0', 6 + 2 + 1, 8);
  writer.linear('transform.ode.2', 8, 2);
  writer.filled('base.loc', [2], 0);
  writer.filled('base.scale', [2], 1);
  const weights = writeSafetensors(writer.tensors);
  const whole = { library: 'zuko', class: 'zuko.flows.CNF', constructor: { features: 2, context: 1, hidden_features: [8] } };
  const flow = await importTorch(held.gpu, whole, weights);
  const [x, context] = [numbered(20), numbered(10)];
  const { z } = await flow.forward(x, { context });
  expect(mixed((await flow.inverse(z, { context })).x, x)).toBeLessThan(5e-6);
  expect(Object.keys(await flow.parameters())).toEqual([
    'transform.ode.0.weight',
    'transform.ode.0.bias',
    'transform.ode.2.weight',
    'transform.ode.2.bias',
  ]);
  flow.dispose();
  const net = {
    type: 'fourier_mlp',
    linears: ['transform.ode.0', 'transform.ode.2'],
    activation: 'elu',
    freqs: 'transform.freqs',
    context_concat: true,
  };
  const other = {
    features: 2,
    context_features: 1,
    base: { type: 'standard_normal' },
    structure_direction: 'density',
    structure: [{ op: 'cnf', t_data: 0, t_noise: 2, times: 'transform.times', net }],
  };
  const sentence = 'description.structure[0] (cnf): transform.times: needs [0, 2], as the description says; got [0, 1]';
  await expectError(() => importTorch(held.gpu, other, weights), FormatError, 'E_FORMAT', sentence);
});

describe('what is refused', () => {
  test.each([
    [
      { solver: { method: 'rk5', steps: 3 } },
      `ffjord: solver.method needs 'euler', 'midpoint', 'rk4', 'rk4-3/8', 'dopri5' or 'dopri5-adaptive'; got "rk5"`,
    ],
    [{ solver: { method: 'rk4', steps: 0 } }, 'ffjord: solver.steps needs an integer from 1 to 10000; got 0'],
    [{ solver: { method: 'rk4' } }, 'ffjord: solver.steps needs an integer from 1 to 10000; got undefined'],
    [{ solver: { method: 'dopri5-adaptive', rtol: -1, atol: 1e-5 } }, 'ffjord: solver.rtol needs a number from 0 to 1; got -1'],
    [{ solver: { method: 'dopri5-adaptive', rtol: 1e-5, atol: 0 } }, 'ffjord: solver.atol needs a number above 0; got 0'],
    [
      { solver: { method: 'dopri5-adaptive', rtol: 1e-5, atol: 1e-5, steps: 1.5 } },
      'ffjord: solver.steps needs an integer from 1 to 10000; got 1.5',
    ],
    [{ field: 'hyper' }, `ffjord: field needs 'concat', 'concat-squash' or 'ignore'; got "hyper"`],
    [{ activation: 'relu' }, `ffjord: activation needs 'tanh', 'softplus', 'swish', 'elu' or 'sigmoid'; got "relu"`],
    [{ divergence: 'hutchinson' }, `ffjord: divergence needs 'gaussian' or 'rademacher'; got undefined`],
    [{ divergence: { estimator: 'gaussian', probes: 0 } }, 'ffjord: divergence.probes needs an integer from 1 to 65535; got 0'],
    [{ dim: 0 }, 'ffjord: dim needs an integer ≥ 1; got 0'],
  ])('%j', async (options, sentence) => {
    await expectError(() => ffjord(held.gpu, wrong({ dim: 2, ...options })), ValueError, 'E_VALUE', sentence);
  });

  const given = async (change: (op: Record<string, unknown>) => void) => {
    const { description, weights } = await loadGolden('cnf-d2');
    const copy = structuredClone(description);
    change((copy.structure as Record<string, unknown>[])[0]!);
    return importTorch(held.gpu, copy, weights);
  };

  test.each<[(op: Record<string, unknown>) => void, string]>([
    [
      (op) => Object.assign(op, { solver: { method: 'rk4' } }),
      'description.structure[0].solver: needs the key "steps" with method "rk4"; got none',
    ],
    [
      (op) => Object.assign(op, { solver: { method: 'dopri5_adaptive', rtol: 1e-5 } }),
      'description.structure[0].solver: needs the keys "rtol" and "atol" with method "dopri5_adaptive"; got no atol',
    ],
    [
      (op) => Object.assign(op, { solver: { method: 'dopri5_adaptive', rtol: 1e-5, atol: 0 } }),
      'description.structure[0].solver.atol: needs a number above 0, since a log-det begins at 0; got 0',
    ],
    [(op) => Object.assign(op, { t_noise: 0 }), 'description.structure[0]: needs t_data and t_noise to differ; got 0'],
    [
      (op) => Object.assign(op, { divergence: { type: 'gaussian', probes: 65536 } }),
      'description.structure[0].divergence.probes: needs a number below 65536; got 65536',
    ],
    [
      (op) => Object.assign(op.net as object, { linears: ['field.layers.0'] }),
      'description.structure[0].net: needs at least two layers, with an activation between them; got 1',
    ],
    [
      (op) => Object.assign(op.net as object, { linears: ['field.layers.0', 'field.layers.1'] }),
      'description.structure[0].net: needs a last layer of 2 outputs, one a feature; got field.layers.1 of 64',
    ],
    [
      (op) => Object.assign(op.net as object, { linears: ['field.layers.1', 'field.layers.2'] }),
      'description.structure[0] (cnf): field.layers.1.weight: needs shape [64, 3]; got [64, 65]',
    ],
    [
      (op) => Object.assign(op.net as object, { context_concat: true }),
      'description.structure[0].net: reads a context; the description has context_features 0',
    ],
  ])('%s', async (change, sentence) => {
    await expectError(() => given(change), FormatError, 'E_FORMAT', sentence);
  });

  test('a net that is no vector field', async () => {
    const made = { type: 'normflows_made', prefix: 'field', blocks: 1, activation: 'relu' };
    await expectError(
      () => given((op) => Object.assign(op, { net: made })),
      UnsupportedError,
      'E_UNSUPPORTED',
      /net "normflows_made" as a vector field is not supported; known: concat_mlp, concat_squash_mlp, fourier_mlp, zuko_mlp/,
    );
  });
});
