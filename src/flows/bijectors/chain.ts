import type { Recorder } from '../../runtime/recorder.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import type { Bijector, BijectorCall } from '../bijector.js';
import type { Hosting } from '../hosted.js';

/** Layers in density order: forward runs them first to last, inverse last to first. */
export class Chain implements Bijector {
  readonly name = 'chain';
  readonly dim: number;
  readonly contextDim: number;
  readonly hosted: Hosting | undefined;
  readonly layers: readonly Bijector[];

  /** @throws RangeError where the layers disagree on their number of features. */
  constructor(dim: number, layers: readonly Bijector[]) {
    const odd = layers.find((layer) => layer.dim !== dim);
    if (odd) throw new RangeError(`chain: every layer needs ${dim} features; ${odd.name} has ${odd.dim}`);
    this.dim = dim;
    this.contextDim = Math.max(0, ...layers.map((layer) => layer.contextDim));
    this.layers = layers;
    this.hosted = layers.find((layer) => layer.hosted)?.hosted;
  }

  forward(r: Recorder, x: TiledTensor, call: BijectorCall): TiledTensor {
    return this.layers.reduce((value, layer, index) => r.scope(`${layer.name}[${index}]`, () => layer.forward(r, value, call)), x);
  }

  inverse(r: Recorder, z: TiledTensor, call: BijectorCall): TiledTensor {
    return this.layers.reduceRight((value, layer, index) => r.scope(`${layer.name}[${index}]`, () => layer.inverse(r, value, call)), z);
  }
}

/** A bijector with its directions exchanged. */
export class Inverse implements Bijector {
  readonly name: string;
  readonly dim: number;
  readonly contextDim: number;
  readonly #of: Bijector;

  constructor(of: Bijector) {
    this.name = `inverse-${of.name}`;
    this.dim = of.dim;
    this.contextDim = of.contextDim;
    this.#of = of;
  }

  forward(r: Recorder, x: TiledTensor, call: BijectorCall): TiledTensor {
    return this.#of.inverse(r, x, call);
  }

  inverse(r: Recorder, z: TiledTensor, call: BijectorCall): TiledTensor {
    return this.#of.forward(r, z, call);
  }
}
