import { bounded, SUPPORT_NUMBER } from '../../kernels/bounded.js';
import { rowSum } from '../../kernels/row-sum.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { ConstantTensor, TiledTensor } from '../../runtime/tensor.js';
import type { Bijector, BijectorCall } from '../bijector.js';

/** What the line is mapped to in one feature; formulas in shaders/bounded.wgsl. `low` is where a half-line ends, `k` its sign. */
export interface FeatureSupport {
  readonly kind: keyof typeof SUPPORT_NUMBER;
  readonly low?: number;
  readonly high?: number;
  readonly k?: number;
}

/** [6, D]: kind, low, high, k, log(high − low), log k. */
export function packSupport(features: readonly FeatureSupport[]): Float32Array<ArrayBuffer> {
  const packed = new Float32Array(6 * features.length);
  for (const [f, { kind, low = 0, high = 1, k = 1 }] of features.entries()) {
    const [from, to, factor] = [Math.fround(low), Math.fround(high), Math.fround(k)];
    const interval = kind === 'interval';
    const column = [SUPPORT_NUMBER[kind], from, to, factor, interval ? Math.log(to - from) : 0, interval ? Math.log(factor) : 0];
    for (const [row, value] of column.entries()) packed[row * features.length + f] = value;
  }
  return packed;
}

/** x = f(z) feature by feature, z on the line, x in an interval, a half-line or on the line. */
export class Bounded implements Bijector {
  readonly name = 'bounded';
  readonly dim: number;
  readonly contextDim = 0;
  readonly #table: Float32Array<ArrayBuffer>;
  readonly #eps: number;
  readonly #origin: ConstantTensor['origin'];

  /**
   * @param eps x closer to an end of an interval than eps (high − low) is taken to be that far from it, in forward alone.
   * @param learned whether the k of intervals are.
   */
  constructor(features: readonly FeatureSupport[], eps = 0, learned = false) {
    this.dim = features.length;
    this.#table = packSupport(features);
    this.#eps = eps;
    if (!learned) return;
    const { dim } = this;
    const raw = this.#table.map((value, at) => (at < 5 * dim ? value : this.#table[at - 2 * dim]!));
    this.#origin = { of: { kind: 'support', inputs: { raw }, settings: {} }, table: 'made' };
  }

  forward(r: Recorder, x: TiledTensor, call: BijectorCall): TiledTensor {
    return this.#record(r, x, call, true);
  }

  inverse(r: Recorder, z: TiledTensor, call: BijectorCall): TiledTensor {
    return this.#record(r, z, call, false);
  }

  #record(r: Recorder, x: TiledTensor, { logDet }: BijectorCall, undo: boolean): TiledTensor {
    const y = r.tiled(this.dim, undo ? 'z' : 'x');
    const terms = r.tiled(logDet ? this.dim : 1, 'log-det terms');
    r.run(bounded, {
      buffers: { x, table: r.constant(this.#table, 'support', this.#origin), y, log_terms: terms },
      params: { features: this.dim, eps: this.#eps },
      constants: { UNDO: undo, HAS_LOG_DET: logDet !== null },
    });
    if (logDet) r.run(rowSum, { buffers: { terms, total: logDet }, params: { features: this.dim } });
    return y;
  }
}
