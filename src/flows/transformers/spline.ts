// Spline transformer: a monotone piecewise function of one feature between knots that the conditioner sets.

import { autoregressiveSolveSpline } from '../../kernels/autoregressive-solve-spline.js';
import { EDGES_NUMBER, SPLINE_NUMBER, spline, TAILS_NUMBER } from '../../kernels/spline.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { Tensor, TiledTensor } from '../../runtime/tensor.js';
import { type ElementwiseCall, type SolveCall, type Transformer, withLogTerms } from './transformer.js';

export type SplineKind = Exclude<keyof typeof SPLINE_NUMBER, 'identity'>;
export type Tails = keyof typeof TAILS_NUMBER;

/** Which spline, and how unconstrained numbers become knots; formulas in shaders/lib/spline.wgsl. */
export interface SplineSettings {
  /** `identity`: the tails alone, which wrap a circular feature into its box. */
  readonly spline: keyof typeof SPLINE_NUMBER;
  readonly tails: Tails;
  readonly bins: number;
  /** [low, high] of x, then of y. */
  readonly box: readonly [low: number, high: number, bottom: number, top: number];
  /** Derivative at the ends of the box; rational-quadratic and quadratic splines. */
  readonly edges?: keyof typeof EDGES_NUMBER;
  /** Circular: added to x modulo the box. */
  readonly shift?: number;
  /** Least width and height of a bin, as a fraction of the box. */
  readonly minWidth?: number;
  readonly minHeight?: number;
  readonly minDerivative?: number;
  /** Divides unconstrained widths and heights. */
  readonly divisor?: number;
  /** Bounds unconstrained numbers softly by ± this (zuko: −log slope), and makes derivatives e^u. */
  readonly softclip?: number;
}

/** Parameters of one feature, in order: widths, heights, derivatives. */
export function splineParameters({ spline, bins, edges = 'one' }: SplineSettings): number {
  const knots = { one: bins - 1, shared: bins, free: bins + 1 }[edges];
  switch (spline) {
    case 'rational-quadratic':
      return 2 * bins + knots;
    case 'linear':
      return bins;
    case 'quadratic':
      return bins + knots;
    case 'cubic':
      return 2 * bins + 2;
    case 'identity':
      return 0;
  }
}

/** Override constants of the kernels that import lib/spline.wgsl. @param forward direction x → z. */
export function splineConstants(settings: SplineSettings, forward: boolean) {
  const [low, high, bottom, top] = settings.box;
  return {
    SPLINE: SPLINE_NUMBER[settings.spline],
    TAILS: TAILS_NUMBER[settings.tails],
    EDGES: EDGES_NUMBER[settings.edges ?? 'one'],
    BINS: settings.bins,
    LOW: low,
    HIGH: high,
    BOTTOM: bottom,
    TOP: top,
    SHIFT: settings.shift ?? 0,
    MIN_WIDTH: settings.minWidth ?? 0,
    MIN_HEIGHT: settings.minHeight ?? 0,
    MIN_DERIVATIVE: settings.minDerivative ?? 0,
    DIVISOR: settings.divisor ?? 1,
    SOFTCLIP: settings.softclip ?? 0,
    UNDO: !forward,
  };
}

interface SplineCall extends Omit<ElementwiseCall, 'parameters'> {
  /** Tiled [P slots, rows], or one set for all rows, f32 [P slots, 4]. */
  readonly parameters: Tensor;
  readonly parameterFeatures: number;
  readonly shared: boolean;
}

/** Records value ↦ spline(value), feature by feature. */
export function recordSpline(r: Recorder, settings: SplineSettings, value: TiledTensor, call: SplineCall): TiledTensor {
  const y = r.tiled(value.features, call.forward ? 'z' : 'x');
  const counted = call.logDet !== null && settings.spline !== 'identity';
  withLogTerms(r, call, counted, (terms) =>
    r.run(spline, {
      buffers: { x: value, parameters: call.parameters, slot: r.constant(call.slot, 'slot'), y, log_terms: terms },
      params: { features: value.features, slots: call.slots, parameter_features: call.parameterFeatures },
      constants: { ...splineConstants(settings, call.forward), HAS_LOG_DET: counted, SHARED: call.shared },
    }),
  );
  return y;
}

export class SplineTransformer implements Transformer {
  readonly parameters: number;

  constructor(readonly settings: SplineSettings) {
    this.parameters = splineParameters(settings);
  }

  record(r: Recorder, value: TiledTensor, call: ElementwiseCall): TiledTensor {
    return recordSpline(r, this.settings, value, { ...call, parameterFeatures: call.parameters.features, shared: false });
  }

  recordSolve(r: Recorder, { buffers, params, constants }: SolveCall): void {
    r.run(autoregressiveSolveSpline, {
      buffers,
      params,
      constants: { ...splineConstants(this.settings, false), ...constants },
    });
  }
}
