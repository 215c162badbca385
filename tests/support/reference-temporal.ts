// A temporal flow in float64: its recorded programs run through the twins, step by step. And recurrent networks a second time, as plain
// loops over row-major arrays from the formulas in torch's documentation, which share nothing with the packed kernels.

import type { GpuFlow } from '../../src/flows/flow.js';
import { derivedSeed } from '../../src/flows/seeds.js';
import type { TemporalTask } from '../../src/flows/temporal/programs.js';
import type { TemporalFlow } from '../../src/index.js';
import type { Program } from '../../src/runtime/program.js';
import { tiledLength } from '../reference/layout.js';
import { sigmoid } from '../reference/math.js';
import { runProgram } from '../reference/run.js';

type Numbers = ArrayLike<number>;
type Named = Record<string, Float64Array>;

const widen = (values: Numbers): Float64Array => Float64Array.from(values);

export class ReferenceTemporal {
  readonly #flow: TemporalFlow;
  readonly #scaled: boolean;
  readonly #programs = new Map<TemporalTask, Program>();

  constructor(flow: TemporalFlow, scaled = false) {
    this.#flow = flow;
    this.#scaled = scaled;
  }

  score(x: Numbers, steps: number, options: { covariates?: Numbers; window?: number } = {}) {
    const { dim } = this.#flow;
    const rows = x.length / (steps * dim);
    const { externals, covariatePeriod: period } = this.#start(rows, steps, x, options);
    Object.assign(externals, {
      contexts: new Float64Array(rows * steps * this.#flow.flow.contextDim),
      scaled: new Float64Array(x.length),
      perStep: new Float64Array(rows * steps),
      logProb: new Float64Array(rows),
    });
    for (let step = 0; step < steps; step++) this.#run('contexts', rows, externals, { step, steps, period });
    const { logProb: density } = runProgram(this.#program('density'), {
      rows: rows * steps,
      externals: { x: this.#scaled ? externals.scaled! : externals.x!, context: externals.contexts! },
    });
    this.#run('total', rows, { ...externals, density: density! }, { step: 0, steps, period: rows });
    const { contexts, perStep, logProb } = externals;
    return { contexts: contexts!, perStep: perStep!, logProb: logProb! };
  }

  continuation(
    history: Numbers,
    time: number,
    steps: number,
    options: { samples: number; seed: number; covariates?: Numbers; futureCovariates?: Numbers; window?: number },
  ): Float64Array {
    const { dim } = this.#flow;
    const series = history.length / (time * dim);
    const { externals, covariatePeriod } = this.#start(series, time, history, options);
    for (let step = 0; step < time; step++) this.#run('history', series, externals, { step, steps: time, period: covariatePeriod });
    for (const [name, { features }] of Object.entries(this.#program('leave').externals))
      if (name.endsWith('carried')) externals[name] = new Float64Array(series * features);
    this.#run('leave', series, externals, {});
    const rows = series * options.samples;
    const entered: Named = { ...externals, ...this.#states(rows), x: new Float64Array(rows * steps * dim) };
    this.#run('enter', rows, entered, { step: 0, steps: 1, period: series });
    const future = options.futureCovariates;
    if (future) entered.covariates = widen(future);
    const period = future && future.length === steps * this.#flow.covariates ? 1 : series;
    for (let step = 0; step < steps; step++)
      this.#run('draw', rows, entered, { step, steps, period, seed: derivedSeed(options.seed, step) });
    return entered.x!;
  }

  #start(rows: number, steps: number, x: Numbers, { covariates, window = steps }: { covariates?: Numbers; window?: number }) {
    const externals: Named = { ...this.#states(rows), x: widen(x), ...(covariates && { covariates: widen(covariates) }) };
    if (this.#scaled) this.#run('scale', rows, externals, { step: window, steps, period: rows });
    return { externals, covariatePeriod: covariates && covariates.length === steps * this.#flow.covariates ? 1 : rows };
  }

  #states(rows: number): Named {
    const programs = (['history', ...(this.#scaled ? (['scale'] as const) : [])] as const).map((task) => this.#program(task));
    const shapes = programs.flatMap(({ externals }) => Object.entries(externals)).filter(([, { tiled }]) => tiled);
    return Object.fromEntries(shapes.map(([name, { features }]) => [name, new Float64Array(tiledLength(features, rows))]));
  }

  #program(task: TemporalTask): Program {
    let program = this.#programs.get(task);
    if (!program) {
      program = this.#flow.record(task);
      this.#programs.set(task, program);
    }
    return program;
  }

  #run(
    task: TemporalTask,
    rows: number,
    externals: Named,
    values: { step?: number; steps?: number; period?: number; seed?: number },
  ): void {
    const program = this.#program(task);
    const named = Object.fromEntries(Object.keys(program.externals).map((name) => [name, externals[name]!]));
    runProgram(program, { rows, externals: named, ...values });
  }
}

/** What a step's flow is, with the class that tests need. */
export const stepFlow = (flow: TemporalFlow): GpuFlow => flow.flow as GpuFlow;

type Tensors = Readonly<Record<string, { readonly data: Float32Array }>>;

/** W[first … first + count) v + b, W [*, v.length] row-major. */
function affine(tensors: Tensors, kind: 'ih' | 'hh', prefix: string, layer: number, first: number, count: number, v: number[]): number[] {
  const weight = tensors[`${prefix}weight_${kind}_l${layer}`]!.data;
  const bias = tensors[`${prefix}bias_${kind}_l${layer}`]?.data;
  return Array.from({ length: count }, (_, j) => {
    let sum = bias?.[first + j] ?? 0;
    for (let k = 0; k < v.length; k++) sum += weight[(first + j) * v.length + k]! * v[k]!;
    return sum;
  });
}

/** Hidden states of the last layer at each step, torch.nn.LSTM's or GRU's output. https://pytorch.org/docs/stable/nn.html#recurrent-layers */
export function plainRecurrent(
  type: 'lstm' | 'gru',
  tensors: Tensors,
  prefix: string,
  hidden: number,
  layers: number,
  inputs: number[][],
): number[][] {
  let sequence = inputs;
  for (let layer = 0; layer < layers; layer++) {
    let h: number[] = new Array(hidden).fill(0);
    let c: number[] = new Array(hidden).fill(0);
    sequence = sequence.map((x) => {
      const fromInput = (gate: number) => affine(tensors, 'ih', prefix, layer, gate * hidden, hidden, x);
      const fromHidden = (gate: number) => affine(tensors, 'hh', prefix, layer, gate * hidden, hidden, h);
      const both = (gate: number) => {
        const recurrent = fromHidden(gate);
        return fromInput(gate).map((value, j) => value + recurrent[j]!);
      };
      if (type === 'lstm') {
        const [i, f, g, o] = [both(0).map(sigmoid), both(1).map(sigmoid), both(2).map(Math.tanh), both(3).map(sigmoid)];
        c = c.map((value, j) => f[j]! * value + i[j]! * g[j]!);
        h = c.map((value, j) => o[j]! * Math.tanh(value));
      } else {
        const [r, z, candidate, recurrent] = [both(0).map(sigmoid), both(1).map(sigmoid), fromInput(2), fromHidden(2)];
        const n = candidate.map((value, j) => Math.tanh(value + r[j]! * recurrent[j]!));
        h = h.map((value, j) => (1 - z[j]!) * n[j]! + z[j]! * value);
      }
      return h;
    });
  }
  return sequence;
}
