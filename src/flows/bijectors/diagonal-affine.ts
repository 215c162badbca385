import { diagonalAffine } from '../../kernels/diagonal-affine.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { Origin, RunningStatistics, TiledTensor } from '../../runtime/tensor.js';
import type { Bijector, BijectorCall } from '../bijector.js';
import { softplus } from '../scalar.js';
import { addConstant } from './chain.js';
import { splitConstants } from './split-constants.js';

/** Logarithm of a scale: map(raw) + offset, feature by feature. */
export interface LogScale {
  readonly raw: ArrayLike<number>;
  /** `softplus`: log(softplus(raw) + setting); `softclip`: raw / (1 + |raw / setting|). Default: raw itself. */
  readonly map?: keyof typeof MAPS;
  readonly setting?: number;
  /** Numbers that are not learned. */
  readonly offset?: ArrayLike<number>;
  /** Where `center` and `offset` are those of a batch norm: the mean and −½ log(variance + eps). */
  readonly running?: RunningStatistics;
}

/** The logarithm of each scale, in float64, and where the sum of them comes from. @param sign −1 for the reciprocals. */
export function logScales(scale: LogScale, sign: 1 | -1 = 1): { readonly values: Float64Array; readonly origin: Origin } {
  const zeros = new Float32Array(scale.raw.length);
  const { logFactor, origin } = directionOf(zeros, scale, zeros, sign);
  return { values: logFactor, origin };
}

/** Formulas also in shaders/diagonal-backward.wgsl. */
const MAPS = {
  identity: (raw: number) => raw,
  softplus: (raw: number, eps: number) => Math.log(softplus(raw) + eps),
  softclip: (raw: number, bound: number) => raw / (1 + Math.abs(raw / bound)),
};

/** One direction of the map, packed, and where its numbers come from. */
interface Direction {
  readonly logFactor: Float64Array;
  readonly constants: Float32Array<ArrayBuffer>;
  readonly logDet: number;
  readonly origin: Origin;
}

/**
 * z = (x − center) · exp(logScale) + shift, feature by feature: batch norm with running statistics, ActNorm, a learned diagonal base.
 * Constants are computed in float64 and rounded once; the log-det, their sum, is rounded once too.
 */
export class DiagonalAffine implements Bijector {
  readonly dim: number;
  readonly contextDim = 0;
  readonly #forward: Direction;
  readonly #inverse: Direction;

  /** @param constants [D] each. @param name label, for example `batch-norm`. */
  constructor(
    readonly name: string,
    constants: { readonly center: ArrayLike<number>; readonly logScale: LogScale; readonly shift: ArrayLike<number> },
  ) {
    const { center, logScale, shift } = constants;
    this.dim = center.length;
    this.#forward = directionOf(center, logScale, shift, 1);
    this.#inverse = directionOf(shift, logScale, center, -1);
  }

  forward(r: Recorder, x: TiledTensor, call: BijectorCall): TiledTensor {
    return this.#record(r, x, this.#forward, call);
  }

  inverse(r: Recorder, z: TiledTensor, call: BijectorCall): TiledTensor {
    return this.#record(r, z, this.#inverse, call);
  }

  /** Adds the log-det of forward to a tensor, without moving anything: a density term of a base. */
  recordLogDet(r: Recorder, logDet: TiledTensor): void {
    addConstant(r, { logDet, context: null }, this.#forward.logDet, { of: this.#forward.origin, table: 'log_det' });
  }

  #record(r: Recorder, x: TiledTensor, { constants, logDet, origin }: Direction, call: BijectorCall): TiledTensor {
    const y = r.tiled(this.dim, this.name);
    r.run(diagonalAffine, {
      buffers: { x, constants: r.constant(constants, this.name, { of: origin, table: 'constants' }), y },
      params: { features: this.dim },
    });
    addConstant(r, call, logDet, { of: origin, table: 'log_det' });
    return y;
  }
}

/** The map itself, or with sign −1 and center and shift exchanged its inverse. */
function directionOf(center: ArrayLike<number>, scale: LogScale, shift: ArrayLike<number>, sign: 1 | -1): Direction {
  const { raw, map = 'identity', setting = 0, offset, running } = scale;
  const features = center.length;
  const logFactor = Float64Array.from(raw, (value, i) => sign * (MAPS[map](value, setting) + (offset?.[i] ?? 0)));
  const inputs = {
    center: Float32Array.from(center),
    raw: Float32Array.from(raw),
    offset: offset ? Float32Array.from(offset, (value) => sign * value) : new Float32Array(features),
    shift: Float32Array.from(shift),
  };
  const constants = new Float32Array(4 * features);
  constants.set(inputs.center, 0);
  constants.set(splitConstants(logFactor.map(Math.exp)), features);
  constants.set(inputs.shift, 3 * features);
  return {
    logFactor,
    constants,
    logDet: logFactor.reduce((sum, value) => sum + value, 0),
    // Turned round, z would have to be known before its own statistics.
    origin: { kind: 'diagonal', inputs, settings: { map, setting, sign }, ...(running && sign > 0 && { running }) },
  };
}
