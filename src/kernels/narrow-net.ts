// A whole narrow network in one dispatch (shaders/lib/narrow-net.wgsl): its layers side by side, and the plan that the kernel walks.

import { ceilDiv, defineKernel, type Kernel, type KernelSource } from '../runtime/kernel.js';
import { type Tensor, TILE } from '../runtime/tensor.js';
import { joined } from './joined.js';
import { type PackedLinear, STRIP } from './linear-strips.js';

/** Units of a layer at most. */
export const WIDEST = 128;
/** Row groups of four rows of a workgroup: as many as its memory holds, 512 vec4, of layers so wide. */
export const groupsOf = (units: number): number => (units <= WIDEST / 2 ? 8 : 4);

const LAYER_WORDS = 5;

export interface PackedNet {
  /** Each layer's [outputs / 8, inputs, 8], one after another. */
  readonly weight: Float32Array<ArrayBuffer>;
  /** Each layer's [3, 8 ceil(outputs / 8)]. */
  readonly bias: Float32Array<ArrayBuffer>;
  /** LAYER_WORDS of each layer, the ranges of all, the slot of each feature. */
  readonly plan: Uint32Array<ArrayBuffer>;
  readonly slotAt: number;
  /** Of the widest layer, its inputs and outputs. */
  readonly widest: number;
}

type Layer = Pick<PackedLinear, 'inputs' | 'outputs' | 'weight' | 'bias' | 'ranges'>;

export function packNet(layers: readonly Layer[], slot: Uint32Array): PackedNet {
  const words: number[] = [];
  const ranges: number[] = [];
  let [weights, biases] = [0, 0];
  for (const layer of layers) {
    words.push(layer.inputs, layer.outputs, weights / 4, biases, layers.length * LAYER_WORDS + ranges.length);
    weights += layer.weight.length;
    biases += layer.bias.length;
    ranges.push(...layer.ranges);
  }
  return {
    weight: joined(layers.map(({ weight }) => weight)),
    bias: joined(layers.map(({ bias }) => bias)),
    plan: Uint32Array.from([...words, ...ranges, ...slot]),
    slotAt: words.length + ranges.length,
    widest: Math.max(...layers.flatMap(({ inputs, outputs }) => [inputs, outputs])),
  };
}

/** Multiply-adds of a row: what the masks let through, by strips of 8 outputs. */
function multiplyAdds(plan: Tensor, layers: number): number {
  if (plan.kind !== 'constant') return 0;
  let taken = 0;
  for (let layer = 0; layer < layers; layer++) {
    const words = plan.data.subarray(layer * LAYER_WORDS, (layer + 1) * LAYER_WORDS);
    for (let strip = 0; strip < ceilDiv(words[1]!, STRIP); strip++) {
      const at = words[4]! + 2 * strip;
      taken += (plan.data[at + 1]! - plan.data[at]!) * STRIP;
    }
  }
  return taken;
}

type NetSource = KernelSource & {
  readonly buffers: { readonly plan: unknown };
  readonly params: { readonly fields: { readonly groups: unknown; readonly layers: unknown } };
};

/** One workgroup for `groups` row groups of a tile. */
export const narrowNetKernel = <const S extends NetSource>(source: S): Kernel<S> =>
  defineKernel<NetSource>(
    source,
    (rows, { groups }) => [ceilDiv(rows, TILE), TILE / 4 / groups, 1],
    ({ buffers: { plan }, params: { layers } }) => multiplyAdds(plan, layers),
  ) as unknown as Kernel<S>;
