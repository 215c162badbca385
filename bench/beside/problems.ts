// What is compared: flows of this library, and the same as weights and a graph for the others.

import { uniformGenerator } from '../../src/flows/recipes/initial.js';
import { type Flow, type Gpu, maf, neuralSpline, realNVP } from '../../src/index.js';
import { normalGenerator } from '../src/normal.js';
import { affineCouplings, linear, mafDensity, mafPass, splineCouplings } from './graphs.js';
import { linearLayer } from './linear.js';
import type { Contestant, Data, Task } from './ops.js';

export interface Problem extends Task {
  readonly about: string;
  /** What a task is counted in. */
  readonly work: { readonly count: number; readonly unit: 'GFLOP/s' | 'samples/s' };
  /** This library's way. */
  readonly ours: (gpu: Gpu) => Promise<Contestant>;
  /** Numbers of a row that are compared, by their place in the others' result and in ours. Passes left out leave later features wrong. */
  readonly places: (passes: number) => readonly (readonly [theirs: number, ours: number])[];
}

/** Normal noise, [rows, dim]. */
const normals = (rows: number, dim: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: rows * dim }, normalGenerator(uniformGenerator(2)));

/** Weights turned round, masks being zeros already. */
async function weightsOf(flow: Flow, layers: number): Promise<Record<string, Data>> {
  const parameters = await flow.parameters();
  const weights: Record<string, Data> = {};
  for (let layer = 0; layer < layers; layer++)
    for (let index = 0; ; index++) {
      const stored = parameters[`layers.${layer}.net.${index}.weight`];
      if (!stored) break;
      const [outputs, inputs] = stored.shape as [number, number];
      const data = Float32Array.from(stored.data, (_, at) => stored.data[(at % outputs) * inputs + Math.floor(at / outputs)]!);
      weights[`${layer}.${index}.weight`] = { data, shape: [inputs, outputs] };
      const bias = parameters[`layers.${layer}.net.${index}.bias`]!.data;
      weights[`${layer}.${index}.bias`] = { data: Float32Array.from(bias), shape: [1, outputs] };
    }
  return weights;
}

const all = (count: number) => () => Array.from({ length: count }, (_, i) => [i, i] as const);

/** The features of even number, then those of odd: the halves of an alternating mask side by side. */
const place = (feature: number, dim: number): number => (feature % 2 === 0 ? feature / 2 : dim / 2 + (feature - 1) / 2);

/** A flow run by this library: `pass` is one call, with its results on the host. */
const calls = (build: (gpu: Gpu) => Promise<Flow>, pass: (flow: Flow) => Promise<Float32Array>) => async (gpu: Gpu) => {
  const flow = await build(gpu);
  return { run: () => pass(flow), dispose: () => flow.dispose() };
};

export interface BesideSettings {
  readonly maf: { readonly dim: number; readonly hidden: readonly number[]; readonly rows: number };
  readonly coupling: { readonly rows: number; readonly wide: number };
  /** Passes that are timed of those that the slow direction takes elsewhere; their time is scaled up to all of them. */
  readonly passes: number;
  /** Only tasks with this in their name. */
  readonly tasks: string;
}

const SEED = 1;
const SPLINE = { bins: 8, bound: 5, least: 1e-3 } as const;

/** Every problem by its name, made when it is asked for. */
export function problems({ maf: wide, coupling }: BesideSettings): Readonly<Record<string, (gpu: Gpu) => Promise<Problem>>> {
  const { dim, hidden, rows } = wide;
  const buildMaf = (gpu: Gpu) => maf(gpu, { dim, layers: 1, hidden, seed: SEED });
  const nothing: Data = { data: new Float32Array(1), shape: [1, 1] };
  const noiseOf = (width: number, count: number): Data => ({ data: normals(count, width), shape: [count, width] });
  const weightsOfMaf = async (gpu: Gpu) => {
    const flow = await buildMaf(gpu);
    const weights = await weightsOf(flow, 1);
    flow.dispose();
    return weights;
  };
  const mafAbout = `D ${dim}, hidden ${hidden.join(' × ')}, 1 layer, ${rows} rows`;

  const couplingProblem =
    (kind: 'RealNVP' | 'spline', width: number) =>
    async (gpu: Gpu): Promise<Problem> => {
      const layers = kind === 'RealNVP' ? 8 : 4;
      const narrow = { dim: width, layers, hidden: [64, 64], seed: SEED } as const;
      const build = (own: Gpu) => (kind === 'RealNVP' ? realNVP(own, narrow) : neuralSpline(own, { ...narrow, bins: SPLINE.bins }));
      const flow = await build(gpu);
      const weights = await weightsOf(flow, layers);
      flow.dispose();
      if (kind === 'spline') {
        const { bins } = SPLINE;
        const data = Float32Array.from({ length: bins * bins }, (_, at) => (Math.floor(at / bins) < at % bins ? 1 : 0));
        weights.below = { data, shape: [bins, bins] };
      }
      const z = normals(coupling.rows, width);
      const sorted = new Float32Array(z.length);
      for (const [at, value] of z.entries()) sorted[at - (at % width) + place(at % width, width)] = value;
      return {
        name: `${kind} sampling, D ${width}`,
        about: `${layers} layers, hidden 64 × 64, ${coupling.rows} rows${kind === 'spline' ? `, ${SPLINE.bins} bins` : ''}`,
        rows: coupling.rows,
        work: { count: coupling.rows, unit: 'samples/s' },
        weights,
        state: { data: sorted, shape: [coupling.rows, width] },
        noise: nothing,
        graph: kind === 'RealNVP' ? affineCouplings(layers) : splineCouplings(layers, SPLINE),
        passes: 1,
        places: () => Array.from({ length: width }, (_, feature) => [place(feature, width), feature] as const),
        ours: calls(build, async (own) => (await own.inverse(z)).x),
      };
    };

  return {
    'linear layer': async () => {
      const [inputs, outputs] = [hidden[0]!, hidden.at(-1)!];
      const uniform = uniformGenerator(3);
      const draw = (length: number, scale: number) => Float32Array.from({ length }, () => (2 * uniform() - 1) * scale);
      const weights = {
        '0.0.weight': { data: draw(inputs * outputs, 1 / Math.sqrt(inputs)), shape: [inputs, outputs] },
        '0.0.bias': { data: draw(outputs, 1), shape: [1, outputs] },
      };
      const state = { data: draw(rows * inputs, 1), shape: [rows, inputs] };
      return {
        name: 'linear layer',
        about: `${rows} × ${inputs} by ${inputs} × ${outputs}`,
        rows,
        work: { count: 2 * rows * inputs * outputs, unit: 'GFLOP/s' },
        weights,
        state,
        noise: nothing,
        graph: linear,
        passes: 1,
        places: all(outputs),
        ours: (gpu: Gpu) => linearLayer(gpu, state, weights['0.0.weight'], weights['0.0.bias']),
      };
    },
    'MAF density': async (gpu) => {
      const state = noiseOf(dim, rows);
      return {
        name: 'MAF density',
        about: mafAbout,
        rows,
        work: { count: rows, unit: 'samples/s' },
        weights: await weightsOfMaf(gpu),
        state,
        noise: nothing,
        graph: mafDensity,
        passes: 1,
        places: all(1),
        ours: calls(buildMaf, (own) => own.logProb(state.data)),
      };
    },
    'MAF sampling': async (gpu) => {
      const noise = noiseOf(dim, rows);
      return {
        name: 'MAF sampling',
        about: mafAbout,
        rows,
        work: { count: rows, unit: 'samples/s' },
        weights: await weightsOfMaf(gpu),
        state: { data: new Float32Array(rows * dim), shape: [rows, dim] },
        noise,
        graph: mafPass,
        passes: dim,
        places: (passes) => all(passes)(),
        ours: calls(buildMaf, async (own) => (await own.inverse(noise.data)).x),
      };
    },
    'RealNVP sampling, D 2': couplingProblem('RealNVP', 2),
    [`RealNVP sampling, D ${coupling.wide}`]: couplingProblem('RealNVP', coupling.wide),
    'spline sampling, D 2': couplingProblem('spline', 2),
    [`spline sampling, D ${coupling.wide}`]: couplingProblem('spline', coupling.wide),
  };
}
