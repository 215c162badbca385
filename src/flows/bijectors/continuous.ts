import { StateError } from '../../runtime/errors.js';
import { memo } from '../../runtime/memo.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { ConstantTensor, TiledTensor } from '../../runtime/tensor.js';
import type { Bijector, BijectorCall } from '../bijector.js';
import type { VectorField } from '../continuous/field.js';
import { type AdaptiveSolver, type FixedSolver, type Solver, TABLEAUS } from '../continuous/solvers.js';
import { coefficientRows, fillTable, recordSplit, recordState, recordSteps, solveOf, stageTimes } from '../continuous/steps.js';
import type { Hosting } from '../hosted.js';

/** What a direction's evaluations read. */
interface Tables {
  readonly times: Float32Array<ArrayBuffer>;
  readonly origin: NonNullable<ConstantTensor['origin']>;
  readonly coefficients: Float32Array<ArrayBuffer>;
}

/**
 * Continuous normalizing flow: z = x(t_noise), where dx/dt = f(t, x) and x(t_data) = x; log|det dz/dx| = ∫ div f dt. The inverse solves the
 * same equation backwards. Chen et al. 2018, arXiv:1806.07366; Grathwohl et al. 2019, arXiv:1810.01367.
 *
 * With a fixed solver each direction is a list of commands. With an adaptive one whole tasks run as a host loop (`hosted`), and a list
 * of commands exists only if the solver says how many steps it has.
 */
export class ContinuousFlow implements Bijector {
  readonly name = 'cnf';
  readonly dim: number;
  readonly contextDim: number;
  readonly hosted?: Hosting;
  readonly field: VectorField;
  readonly #interval: { readonly data: number; readonly noise: number };
  readonly #solver: Solver;
  readonly #tables = new Map<boolean, Tables>();

  /** @param adaptive the host loop of adaptive solvers. */
  constructor(field: VectorField, interval: { readonly data: number; readonly noise: number }, solver: Solver, adaptive: Hosting) {
    this.field = field;
    this.dim = field.dim;
    this.contextDim = field.contextDim;
    this.#interval = interval;
    this.#solver = solver;
    if (solver.method === 'dopri5_adaptive') this.hosted = adaptive;
  }

  /** The adaptive solver, or null. */
  get adaptive(): AdaptiveSolver | null {
    return this.#solver.method === 'dopri5_adaptive' ? this.#solver : null;
  }

  /** Times from and to which a direction integrates. @param forward x → z. */
  times(forward: boolean): readonly [start: number, end: number] {
    const { data, noise } = this.#interval;
    return forward ? [data, noise] : [noise, data];
  }

  forward(r: Recorder, x: TiledTensor, call: BijectorCall): TiledTensor {
    return this.#record(r, x, call, true);
  }

  inverse(r: Recorder, z: TiledTensor, call: BijectorCall): TiledTensor {
    return this.#record(r, z, call, false);
  }

  #record(r: Recorder, value: TiledTensor, { logDet, context }: BijectorCall, forward: boolean): TiledTensor {
    const { method, steps } = this.#fixed(r.place);
    const tableau = TABLEAUS[method];
    const [start, end] = this.times(forward);
    const h = (end - start) / steps;
    const { times, origin, coefficients } = memo(this.#tables, forward, () => {
      const evaluated = stageTimes(tableau, start, h, steps);
      return {
        times: fillTable(this.field, evaluated, []),
        origin: { of: this.field.originOf(evaluated), table: 'table' },
        coefficients: fillTable(this.field, [], coefficientRows(tableau, h)),
      };
    });
    const width = this.dim + (logDet ? 1 : 0);
    const solve = solveOf(r, this.field, context, width, r.constant(times, 'times', origin), r.constant(coefficients, 'coefficients'));
    const state = recordSteps(r, solve, tableau, recordState(r, value, logDet), steps);
    return recordSplit(r, state, this.dim, logDet);
  }

  #fixed(place: string): FixedSolver {
    const solver = this.#solver;
    if (solver.method !== 'dopri5_adaptive') return solver;
    if (solver.steps === null)
      throw new StateError(
        `${place}: an adaptive solver has no fixed list of commands, which prepare, encode*, profile, gradients and fit need; build the flow with \`steps\` beside rtol and atol for so many equal Dormand–Prince steps in those`,
      );
    return { method: 'dopri5', steps: solver.steps };
  }
}
