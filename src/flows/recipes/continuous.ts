import type { DivergenceDescription, OpDescription, SolverDescription } from '../../format/description.js';
import type { Gpu } from '../../runtime/gpu.js';
import { continuousOps } from '../build/continuous.js';
import { check, checkInteger, checkOneOf } from '../checks.js';
import type { Flow } from '../flow.js';
import type { Hosting } from '../hosted.js';
import { buildFresh, type RecipeOptions, resolveOptions, TensorWriter } from './initial.js';

/** A count of equal steps, or steps by error control; what each costs and when to take it is in docs/flows/continuous.md. */
export type OdeSolver =
  | {
      /** Classic Runge–Kutta (`rk4`), the 3/8 rule (`rk4-3/8`), fifth-order Dormand–Prince (`dopri5`). */
      readonly method: 'euler' | 'midpoint' | 'rk4' | 'rk4-3/8' | 'dopri5';
      readonly steps: number;
    }
  | {
      readonly method: 'dopri5-adaptive';
      /** Error of a step beside the size of the state; the root mean square over batch, features and log-det is held to it. */
      readonly rtol: number;
      readonly atol: number;
      /** Equal Dormand–Prince steps for `prepare`, `encode*`, `profile`, `gradients` and `fit`; without it those throw StateError. */
      readonly steps?: number;
      /** Trial steps after which a solve throws StateError. Default 1000. */
      readonly maxSteps?: number;
    };

/** The trace of the Jacobian, exact at D tangents, or estimated from random vectors at one tangent each (Hutchinson). */
export type DivergenceOption = 'exact' | { readonly estimator: 'gaussian' | 'rademacher'; readonly probes?: number };

export interface FfjordOptions extends RecipeOptions {
  /** Continuous flows one after another, each over t from 0 (data) to 1 (noise). Default 1. */
  readonly layers?: number;
  /**
   * How a layer sees the time: `concat` W (t, h) + b; `concat-squash` (W h + b) σ(w_g t + b_g) + w_b t; `ignore` W h + b.
   * Default `concat-squash`.
   */
  readonly field?: 'concat' | 'concat-squash' | 'ignore';
  /** Smooth, or the solver loses its order. Default `tanh`. */
  readonly activation?: 'tanh' | 'softplus' | 'swish' | 'elu' | 'sigmoid';
  /** Default `exact`. */
  readonly divergence?: DivergenceOption;
  /** Default { method: 'dopri5', steps: 16 }. */
  readonly solver?: OdeSolver;
}

const METHODS = {
  euler: 'euler',
  midpoint: 'midpoint',
  rk4: 'rk4',
  'rk4-3/8': 'rk4_38',
  dopri5: 'dopri5',
  'dopri5-adaptive': 'dopri5_adaptive',
} as const;
const ACTIVATIONS = ['tanh', 'softplus', 'swish', 'elu', 'sigmoid'] as const;
const FIELDS = ['concat', 'concat-squash', 'ignore'] as const;

function describeSolver(solver: OdeSolver): SolverDescription {
  checkOneOf('ffjord: solver.method', solver?.method, Object.keys(METHODS));
  const method = METHODS[solver.method];
  if (solver.method !== 'dopri5-adaptive') {
    checkInteger('ffjord: solver.steps', solver.steps, 1, 10_000);
    return { method, steps: solver.steps };
  }
  const { rtol, atol, steps, maxSteps = 1000 } = solver;
  check(rtol >= 0 && rtol < 1, 'ffjord: solver.rtol', 'a number from 0 to 1', rtol);
  check(atol > 0 && atol < Number.POSITIVE_INFINITY, 'ffjord: solver.atol', 'a number above 0', atol);
  checkInteger('ffjord: solver.maxSteps', maxSteps, 1, 2 ** 31);
  if (steps !== undefined) checkInteger('ffjord: solver.steps', steps, 1, 10_000);
  return { method, rtol, atol, max_steps: maxSteps, ...(steps !== undefined && { steps }) };
}

function describeDivergence(divergence: DivergenceOption, stream: number): DivergenceDescription {
  if (divergence === 'exact') return { type: 'exact' };
  checkOneOf('ffjord: divergence', divergence?.estimator, ['gaussian', 'rademacher']);
  const { estimator, probes = 1 } = divergence;
  checkInteger('ffjord: divergence.probes', probes, 1, 65535);
  return { type: estimator, probes, stream };
}

/** `ffjord`, with what runs solves with error control. */
export async function freshFfjord(gpu: Gpu, options: FfjordOptions, adaptive: Hosting): Promise<Flow> {
  const { dim, layers, hidden, contextDim, seed } = resolveOptions('ffjord', { layers: 1, ...options });
  const { field = 'concat-squash', activation: chosen = 'tanh', divergence = 'exact', solver } = options;
  checkOneOf('ffjord: field', field, FIELDS);
  checkOneOf('ffjord: activation', chosen, ACTIVATIONS);
  const described = describeSolver(solver ?? { method: 'dopri5', steps: 16 });
  const read = { activation: chosen === 'swish' ? 'silu' : chosen, context_concat: contextDim > 0 } as const;
  const writer = new TensorWriter(seed);
  const structure = Array.from({ length: layers }, (_, layer): OpDescription => {
    const widths = [dim, ...hidden, dim];
    const names = widths.slice(1).map((outputs, index) => {
      const name = `flows.${layer}.field.layers.${index}`;
      const inputs = widths[index]! + (index === 0 ? contextDim : 0);
      if (field === 'concat-squash') {
        writer.linear(`${name}._layer`, inputs, outputs);
        writer.weight(`${name}._hyper_bias`, 1, outputs);
        writer.linear(`${name}._hyper_gate`, 1, outputs);
      } else writer.linear(name, inputs + (field === 'concat' ? 1 : 0), outputs);
      return name;
    });
    const net =
      field === 'concat-squash'
        ? ({ type: 'concat_squash_mlp', layers: names, ...read } as const)
        : field === 'concat'
          ? ({ type: 'concat_mlp', linears: names, time_column: 0, ...read } as const)
          : ({ type: 'zuko_mlp', linears: names, ...read } as const);
    return { op: 'cnf', t_data: 0, t_noise: 1, net, solver: described, divergence: describeDivergence(divergence, layer) };
  });
  return buildFresh(gpu, options, structure, writer, continuousOps(adaptive));
}
