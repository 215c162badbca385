import { addTable } from '../../kernels/add-table.js';
import { fill } from '../../kernels/fill.js';
import { join } from '../../kernels/join.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { ConstantTensor, TiledTensor } from '../../runtime/tensor.js';
import type { Bijector, BijectorCall } from '../bijector.js';
import { identityOrder } from '../conditioner/packing.js';
import type { Hosting } from '../hosted.js';
import { gather } from './permutation.js';

/**
 * Layers in density order: forward runs them first to last, inverse last to first.
 *
 * A layer may have fewer features than the one before it: it acts on the leading ones, and the others are latents from there on, in their
 * place (the multi-scale architecture of RealNVP, arXiv:1605.08803, section 3.6), until a layer has all features again.
 */
export class Chain implements Bijector {
  readonly dim: number;
  readonly contextDim: number;
  readonly hosted: Hosting | undefined;
  readonly layers: readonly Bijector[];

  /** @throws RangeError where a layer has more features than the one before, and not all. */
  constructor(
    dim: number,
    layers: readonly Bijector[],
    readonly name: string = 'chain',
  ) {
    let before = dim;
    for (const layer of layers) {
      if (layer.dim > before && layer.dim !== dim)
        throw new RangeError(
          `chain: a layer needs all ${dim} features, or at most the ${before} before it; ${layer.name} has ${layer.dim}`,
        );
      before = layer.dim;
    }
    this.dim = dim;
    this.contextDim = Math.max(0, ...layers.map((layer) => layer.contextDim));
    this.layers = layers;
    // A host knows no latents: it runs layers of all features, and what narrows in a chain of its own.
    this.hosted = layers.find((layer) => layer.hosted && layer.dim === dim)?.hosted;
  }

  forward(r: Recorder, x: TiledTensor, call: BijectorCall): TiledTensor {
    return this.#record(r, x, call, 'forward');
  }

  inverse(r: Recorder, z: TiledTensor, call: BijectorCall): TiledTensor {
    return this.#record(r, z, call, 'inverse');
  }

  #record(r: Recorder, input: TiledTensor, call: BijectorCall, direction: 'forward' | 'inverse'): TiledTensor {
    const order = [...this.layers.entries()];
    if (direction === 'inverse') order.reverse();
    /** Tensors that features were left in, the widest first. */
    const wholes: TiledTensor[] = [];
    let value = input;
    const resize = (features: number) => {
      if (features < value.features) {
        wholes.push(value);
        value = gather(r, value, identityOrder(features));
      }
      while (features > value.features) {
        const whole = wholes.at(-1)!;
        const next = Math.min(features, whole.features);
        value = recordJoin(r, value, whole, next);
        if (next === whole.features) wholes.pop();
      }
    };
    summingConstants(r, call, (inner) => {
      for (const [index, layer] of order) {
        resize(layer.dim);
        value = r.scope(`${layer.name}[${index}]`, () => layer[direction](r, value, inner));
      }
    });
    resize(this.dim);
    return value;
  }
}

/** Records a log-det that no row changes: with others, where the caller sums them. @param origin of a learned one. */
export function addConstant(
  r: Recorder,
  { logDet, addConstant: add }: BijectorCall,
  value: number,
  origin?: ConstantTensor['origin'],
): void {
  if (!logDet) return;
  if (r.differentiable && origin)
    r.run(addTable, { buffers: { table: r.constant(Float32Array.of(value), 'log-det', origin), total: logDet }, params: { sign: 1 } });
  else if (value === 0) return;
  else if (add) add(value);
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

/** Records `part`, then what follows it in the first `features` of `whole`; or with a shift, what lies that much before. */
export function recordJoin(r: Recorder, part: TiledTensor, whole: TiledTensor, features: number, shift = 0): TiledTensor {
  const y = r.tiled(features, 'joined');
  r.run(join, {
    buffers: { leading: part, whole_tensor: whole, y },
    params: { features, leading_features: part.features, whole_features: whole.features, shift },
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
