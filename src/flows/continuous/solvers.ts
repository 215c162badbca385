// Explicit Runge-Kutta tableaus: data, and where each comes from.

export interface Tableau {
  /** Row i weighs the slopes of stages 0 … i − 1 to make the point of stage i. */
  readonly a: readonly (readonly number[])[];
  /** Weights of the step. */
  readonly b: readonly number[];
}

/** Kutta 1901: the classic rule, and the 3/8 rule (torchdiffeq's `rk4`). Dormand and Prince 1980, doi:10.1016/0771-050X(80)90013-3. */
export const TABLEAUS = {
  euler: { a: [[]], b: [1] },
  midpoint: { a: [[], [1 / 2]], b: [0, 1] },
  rk4: { a: [[], [1 / 2], [0, 1 / 2], [0, 0, 1]], b: [1 / 6, 1 / 3, 1 / 3, 1 / 6] },
  rk4_38: { a: [[], [1 / 3], [-1 / 3, 1], [1, -1, 1]], b: [1 / 8, 3 / 8, 3 / 8, 1 / 8] },
  dopri5: {
    a: [
      [],
      [1 / 5],
      [3 / 40, 9 / 40],
      [44 / 45, -56 / 15, 32 / 9],
      [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
      [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
    ],
    b: [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
  },
} as const satisfies Record<string, Tableau>;

/** Time of each stage, in steps: the sum of its row. */
export const timesOf = ({ a }: Tableau): number[] => a.map((row) => row.reduce((sum, value) => sum + value, 0));

export type FixedMethod = keyof typeof TABLEAUS;

/**
 * Fifth minus fourth order of Dormand and Prince, over seven stages: the seventh is the slope at the end of the step, which is the first
 * of the next one.
 */
export const DOPRI5_ERROR = [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40] as const;

export interface FixedSolver {
  readonly method: FixedMethod;
  readonly steps: number;
}

export interface AdaptiveSolver {
  readonly method: 'dopri5_adaptive';
  readonly rtol: number;
  readonly atol: number;
  /** Steps of Dormand and Prince where a fixed count is needed (encode*); null: there it is an error. */
  readonly steps: number | null;
  /** Trial steps after which a solve gives up. */
  readonly maxSteps: number;
}

export type Solver = FixedSolver | AdaptiveSolver;

/** 96 evaluations; 3e-8 off on the golden cases, where float32 rounding is 1e-6 (docs/flows/continuous.md). */
export const DEFAULT_SOLVER: FixedSolver = { method: 'dopri5', steps: 16 };
export const DEFAULT_MAX_STEPS = 1000;
