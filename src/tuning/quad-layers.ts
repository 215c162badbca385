// Linear layers whose weights nobody changes, with these packed for the quads that share them (shaders/quad-linear.wgsl): the same commands with other weights.

import { STRIP } from '../kernels/linear-strips.js';
import { quadLinear } from '../kernels/quad-linear.js';
import type { Kernel } from '../runtime/kernel.js';
import { memo } from '../runtime/memo.js';
import type { ConstantTensor } from '../runtime/tensor.js';
import { constantOf, type Fusion, finder, isConstant, labelOf } from './fusion.js';

export const quadLinearKernel = quadLinear as unknown as Kernel;

/** From [ceil(outputs / 8), inputs, 8] to [ceil(outputs / 4), ceil(inputs / 4), 4 outputs, 4 inputs]. */
export function packForQuads(weight: Float32Array, inputs: number, outputs: number): Float32Array<ArrayBuffer> {
  const quads = Math.ceil(inputs / 4);
  const packed = new Float32Array(Math.ceil(outputs / 4) * quads * 16);
  for (let o = 0; o < outputs; o++)
    for (let k = 0; k < inputs; k++)
      packed[((Math.floor(o / 4) * quads + Math.floor(k / 4)) * 4 + (o % 4)) * 4 + (k % 4)] =
        weight[(Math.floor(o / STRIP) * inputs + k) * STRIP + (o % STRIP)]!;
  return packed;
}

const packed = new WeakMap<object, Float32Array<ArrayBuffer>>();

/** The same of a tensor that nobody changes; one array for one. */
export const packedForQuads = (weight: ConstantTensor, inputs: number, outputs: number): ConstantTensor =>
  constantOf(
    memo(packed, weight.data, () => packForQuads(weight.data as Float32Array, inputs, outputs)),
    weight.label,
  );

export const quadLayersIn = /*#__PURE__*/ finder((commands, _, index): Fusion | null => {
  const layer = commands[index]!;
  const { kernel, tensors, params } = layer;
  const { weight } = tensors;
  if (kernel.source.name !== 'masked-linear' || !isConstant(weight)) return null;
  return {
    parts: [layer],
    command: {
      ...layer,
      label: labelOf(layer, quadLinearKernel),
      kernel: quadLinearKernel,
      tensors: { ...tensors, weight: packedForQuads(weight, params.inputs!, params.outputs!) },
    },
  };
});
