// Which features a coupling layer passes, and which it moves.

import type { Activation } from '../../format/description.js';
import { product } from '../../format/shape.js';
import { ValueError } from '../../runtime/errors.js';
import { check, refuse } from '../checks.js';
import { identityOrder } from '../conditioner/packing.js';
import { shuffled, type TensorWriter } from './initial.js';

/**
 * Features that pass and feed the network; the others are moved. From layer to layer the two exchange their parts.
 *
 * 'alternating': features of even number; 'halves': the first D / 2; 'checkerboard': pixels with even row + column, in every channel; 'channels':
 * the first half of the channels; 'random': for each layer a half drawn by the seed, without exchange. Or masks, 1 for a feature that
 * passes: layer i takes mask i, from the first again after the last, without exchange.
 */
export type Masking = 'alternating' | 'halves' | 'checkerboard' | 'channels' | 'random' | readonly (readonly (0 | 1)[])[];

export interface MaskingOptions {
  /** Default 'alternating'. */
  readonly masking?: Masking;
  /** Shape [c, h, w] of an event, c h w = D: for 'checkerboard' and 'channels'. */
  readonly shape?: readonly [channels: number, height: number, width: number];
}

/** For each layer, whether each feature passes. @throws ValueError */
export function resolveMasking(
  recipe: string,
  { masking = 'alternating', shape }: MaskingOptions,
  dim: number,
  layers: number,
  writer: TensorWriter,
): boolean[][] {
  const place = `${recipe}: masking`;
  if (shape !== undefined) {
    const whole = Array.isArray(shape) && shape.length === 3 && shape.every((size) => Number.isInteger(size) && size > 0);
    const fits = whole && product(shape) === dim;
    check(fits, `${recipe}: shape`, `[channels, height, width] with product ${dim}`, shape);
  }
  const passes = (): ((feature: number, layer: number) => boolean) => {
    const exchanged = (first: (feature: number) => boolean) => (feature: number, layer: number) => first(feature) === (layer % 2 === 0);
    if (typeof masking !== 'string') {
      check(Array.isArray(masking) && masking.length > 0, place, 'a name or at least one mask', masking);
      for (const [index, mask] of masking.entries()) {
        const holds = Array.isArray(mask) && mask.length === dim && mask.every((entry) => entry === 0 || entry === 1);
        check(holds, `${place}[${index}]`, `${dim} numbers, each 0 or 1`, mask);
      }
      return (feature, layer) => masking[layer % masking.length]![feature] === 1;
    }
    switch (masking) {
      case 'alternating':
        return exchanged((feature) => feature % 2 === 0);
      case 'halves':
        return exchanged((feature) => feature < Math.floor(dim / 2));
      case 'random': {
        const drawn = Array.from({ length: layers }, () => new Set(shuffled(writer, dim).slice(0, Math.floor(dim / 2))));
        return (feature, layer) => drawn[layer]!.has(feature);
      }
      case 'checkerboard':
      case 'channels': {
        check(shape !== undefined, `${recipe}: shape`, `[channels, height, width] for ${masking} masks`, shape);
        const [channels, height, width] = shape;
        if (masking === 'channels') return exchanged((feature) => feature < Math.floor(channels / 2) * height * width);
        return exchanged((feature) => ((Math.floor(feature / width) % height) + (feature % width)) % 2 === 0);
      }
      default:
        refuse(place, 'alternating, halves, checkerboard, channels, random or a list of masks', masking);
    }
  };
  const pass = passes();
  return Array.from({ length: layers }, (_, layer) => {
    const mask = Array.from({ length: dim }, (_, feature) => pass(feature, layer));
    if (!mask.includes(!mask[0]))
      throw new ValueError(
        typeof masking === 'string' ? place : `${place}[${layer % masking.length}]`,
        'features that pass and features that move in every layer',
        `a mask of ${dim} that ${mask[0] ? 'all pass' : 'all move'}`,
      );
    return mask;
  });
}

/** Writes the network of a coupling's features that pass, and of the context, with `each` outputs for every feature that moves. */
export function writeCouplingNet(
  writer: TensorWriter,
  prefix: string,
  passes: readonly boolean[],
  net: { readonly hidden: readonly number[]; readonly contextDim: number; readonly each: number; readonly activation: Activation },
) {
  const features = [...identityOrder(passes.length)];
  const [identity, transform] = [features.filter((i) => passes[i]), features.filter((i) => !passes[i])];
  const linears = writer.linears(prefix, [identity.length + net.contextDim, ...net.hidden, net.each * transform.length]);
  const described = { type: 'zuko_mlp', linears, activation: net.activation, context_concat: net.contextDim > 0 } as const;
  return { identity, transform, net: described };
}
