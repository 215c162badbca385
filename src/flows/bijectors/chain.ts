import { fill } from '../../kernels/fill.js';
import { join } from '../../kernels/join.js';
import { permute } from '../../kernels/permute.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import type { Bijector, BijectorCall } from '../bijector.js';
import { identityOrder } from '../conditioner/packing.js';
import type { Hosting } from '../hosted.js';

/**
 * Layers in density order: forward runs them first to last, inverse last to first.
 *
 * A layer may have fewer features than the one before it: it acts on the leading ones, and the others are latents from there on, in their
 * place (the multi-scale architecture of RealNVP, arXiv:1605.08803, section 3.6).
 */
export class Chain implements Bijector {
  readonly dim: number;
  readonly contextDim: number;
  readonly hosted: Hosting | undefined;
  readonly layers: readonly Bijector[];

  /** @throws RangeError where a layer has more features than the one before. */
  constructor(
    dim: number,
    layers: readonly Bijector[],
    readonly name: string = 'chain',
  ) {
    let before = dim;
    for (const layer of layers) {
      if (layer.dim > before)
        throw new RangeError(`chain: a layer needs at most the ${before} features before it; ${layer.name} has ${layer.dim}`);
      before = layer.dim;
    }
    this.dim = dim;
    this.contextDim = Math.max(0, ...layers.map((layer) => layer.contextDim));
    this.layers = layers;
    this.hosted = layers.find((layer) => layer.hosted)?.hosted;
  }

  forward(r: Recorder, x: TiledTensor, call: BijectorCall): TiledTensor {
    const wholes: TiledTensor[] = [];
    let value = x;
    summingConstants(r, call, (inner) => {
      for (const [index, layer] of this.layers.entries()) {
        if (layer.dim < value.features) {
          wholes.push(value);
          value = leading(r, value, layer.dim);
        }
        value = r.scope(`${layer.name}[${index}]`, () => layer.forward(r, value, inner));
      }
    });
    return wholes.reduceRight((part, whole) => joined(r, part, whole, whole.features), value);
  }

  inverse(r: Recorder, z: TiledTensor, call: BijectorCall): TiledTensor {
    let value = leading(r, z, this.layers.at(-1)?.dim ?? z.features);
    summingConstants(r, call, (inner) => {
      for (const [index, layer] of [...this.layers.entries()].reverse()) {
        if (layer.dim > value.features) value = joined(r, value, z, layer.dim);
        value = r.scope(`${layer.name}[${index}]`, () => layer.inverse(r, value, inner));
      }
    });
    return value.features < z.features ? joined(r, value, z, z.features) : value;
  }
}

/** Records a log-det that no row changes: with others, where the caller sums them. */
export function addConstant(r: Recorder, { logDet, addConstant: add }: BijectorCall, value: number): void {
  if (!logDet || value === 0) return;
  if (add) add(value);
  else r.run(fill, { buffers: { destination: logDet }, params: { features: 1, value }, constants: { ADD: true } });
}

/** Adds the constant log-dets of all layers at once: one dispatch, and one rounding of what is often the largest term. */
function summingConstants(r: Recorder, call: BijectorCall, record: (call: BijectorCall) => void): void {
  if (!call.logDet || call.addConstant) {
    record(call);
    return;
  }
  let total = 0;
  const sum = (value: number) => {
    total += value;
  };
  record({ ...call, addConstant: sum });
  addConstant(r, call, total);
}

/** The first `features` of a tensor. */
function leading(r: Recorder, x: TiledTensor, features: number): TiledTensor {
  if (x.features === features) return x;
  const y = r.tiled(features, 'leading');
  const index = r.constant(identityOrder(features), 'leading');
  r.run(permute, { buffers: { x, index, y }, params: { features, source_features: x.features } });
  return y;
}

/** `part`, then what follows it in the first `features` of `whole`. */
function joined(r: Recorder, part: TiledTensor, whole: TiledTensor, features: number): TiledTensor {
  const y = r.tiled(features, 'joined');
  r.run(join, {
    buffers: { leading: part, whole_tensor: whole, y },
    params: { features, leading_features: part.features, whole_features: whole.features },
  });
  return y;
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
