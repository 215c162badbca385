import { moveFeatures } from '../../kernels/move-features.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import type { Bijector, BijectorCall } from '../bijector.js';

/** Records to[yAt[i]] = from[xAt[i]] for every i; what `to` holds elsewhere stays. */
export function recordMove(r: Recorder, from: TiledTensor, to: TiledTensor, place: Uint32Array<ArrayBuffer>): void {
  r.run(moveFeatures, {
    buffers: { x: from, place: r.constant(place, 'places'), y: to },
    params: { features: place.length / 2, x_features: from.features, y_features: to.features },
  });
}

/** Places in x, then the run of places in y that begins at `yAt`. */
export const placesTo = (xAt: readonly number[], yAt: number): Uint32Array<ArrayBuffer> =>
  Uint32Array.from([...xAt, ...xAt.map((_, i) => yAt + i)]);

const exchanged = (place: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> =>
  Uint32Array.from([...place.subarray(place.length / 2), ...place.subarray(0, place.length / 2)]);

/**
 * One level of a multi-scale flow: some features are latent from here on, the others go on through `rest`, which may split again.
 *
 *   z = (x[latent], rest(x[others]))        log-det that of `rest`
 *
 * So the latents of all levels follow each other, the first level's first. The inverse merges: each feature returns to its place.
 * Dinh et al. 2017, arXiv:1605.08803, section 3.6.
 */
export class Split implements Bijector {
  readonly name = 'split';
  readonly dim: number;
  readonly contextDim: number;
  readonly #rest: Bijector;
  readonly #toLatent: Uint32Array<ArrayBuffer>;
  readonly #toRest: Uint32Array<ArrayBuffer>;
  readonly #fromRest: Uint32Array<ArrayBuffer>;
  readonly #fromLatent: Uint32Array<ArrayBuffer>;
  readonly #restToEnd: Uint32Array<ArrayBuffer>;
  readonly #endToRest: Uint32Array<ArrayBuffer>;

  /** @param latent features that leave, in the order of the latent; at least one, and one stays. @throws RangeError */
  constructor(dim: number, latent: readonly number[], rest: Bijector) {
    const leaves = new Set(latent);
    const others = Array.from({ length: dim }, (_, f) => f).filter((f) => !leaves.has(f));
    if (leaves.size !== latent.length || latent.length === 0 || others.length + latent.length !== dim || others.length !== rest.dim)
      throw new RangeError(`split: ${dim} features into [${latent.join(', ')}] and the ${rest.dim} that go on`);
    this.dim = dim;
    this.contextDim = rest.contextDim;
    this.#rest = rest;
    this.#toLatent = placesTo(latent, 0);
    this.#fromLatent = exchanged(this.#toLatent);
    this.#toRest = placesTo(others, 0);
    this.#fromRest = exchanged(this.#toRest);
    this.#restToEnd = placesTo(
      others.map((_, i) => i),
      latent.length,
    );
    this.#endToRest = exchanged(this.#restToEnd);
  }

  forward(r: Recorder, x: TiledTensor, call: BijectorCall): TiledTensor {
    const going = r.tiled(this.#rest.dim, 'going on');
    recordMove(r, x, going, this.#toRest);
    const z = r.tiled(this.dim, 'latents');
    recordMove(r, x, z, this.#toLatent);
    recordMove(r, this.#rest.forward(r, going, call), z, this.#restToEnd);
    return z;
  }

  inverse(r: Recorder, z: TiledTensor, call: BijectorCall): TiledTensor {
    const coming = r.tiled(this.#rest.dim, 'coming back');
    recordMove(r, z, coming, this.#endToRest);
    const x = r.tiled(this.dim, 'merged');
    recordMove(r, z, x, this.#fromLatent);
    recordMove(r, this.#rest.inverse(r, coming, call), x, this.#fromRest);
    return x;
  }
}
