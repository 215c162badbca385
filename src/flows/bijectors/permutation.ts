import { permute } from '../../kernels/permute.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import type { Bijector } from '../bijector.js';

/** z[j] = x[order[j]]; log-det 0. */
export class Permutation implements Bijector {
  readonly name = 'permutation';
  readonly dim: number;
  readonly contextDim = 0;
  readonly #order: Uint32Array<ArrayBuffer>;
  readonly #inverse: Uint32Array<ArrayBuffer>;

  /** @throws RangeError where `order` is not a permutation of 0 … D − 1. */
  constructor(order: ArrayLike<number>) {
    this.dim = order.length;
    this.#order = Uint32Array.from(order);
    this.#inverse = new Uint32Array(this.dim).fill(this.dim);
    for (const [to, from] of this.#order.entries()) if (from < this.dim) this.#inverse[from] = to;
    const missing = this.#inverse.indexOf(this.dim);
    if (missing >= 0) throw new RangeError(`permutation needs each of 0 … ${this.dim - 1} once; got [${[...this.#order].join(', ')}]`);
  }

  forward(r: Recorder, x: TiledTensor): TiledTensor {
    return gather(r, x, this.#order);
  }

  inverse(r: Recorder, z: TiledTensor): TiledTensor {
    return gather(r, z, this.#inverse);
  }
}

/** Records y[f] = x[index[f]]. */
export function gather(r: Recorder, x: TiledTensor, index: Uint32Array<ArrayBuffer>): TiledTensor {
  const y = r.tiled(index.length, 'permuted');
  r.run(permute, { buffers: { x, index: r.constant(index, 'order'), y }, params: { features: index.length, source_features: x.features } });
  return y;
}
