// The last layer of a conditioner, the affine transformer that it parameterises, and the sum of its log-det terms, as one command.

import { linearAffine } from '../kernels/linear-affine.js';
import { OUTPUTS } from '../kernels/linear-strips.js';
import type { Kernel } from '../runtime/kernel.js';
import type { Command } from '../runtime/program.js';
import { affineBehind } from './affine-behind.js';
import {
  constantOf,
  type Fusion,
  finder,
  inOrder,
  isConstant,
  isPlainLayer,
  isWholeLayer,
  mayRunAt,
  sharedByArrays,
  type Users,
  unusedTensor,
} from './fusion.js';
import { packedForQuads } from './quad-layers.js';

export const linearAffineKernel = linearAffine as unknown as Kernel;

const shared = sharedByArrays<Uint32Array<ArrayBuffer>>();

/** What the transformer at `end`, the layer in front and the sum behind fuse to; null where they do not. */
function fuseLinearAffine(commands: readonly Command[], users: Users, end: number): Fusion | null {
  const behind = affineBehind(commands, users, end);
  if (!behind) return null;
  const layer = commands[behind.maker]!;
  if (layer.kernel.source.name !== 'masked-linear' || !isPlainLayer(layer) || !isWholeLayer(layer)) return null;
  const { tensors, params, constants } = layer;
  if (constants.ACTIVATION || !isConstant(tensors.ranges) || params.outputs! > OUTPUTS) return null;
  if (params.outputs !== commands[end]!.params.parameter_features || !mayRunAt(commands, [behind.maker], end)) return null;
  const ranges = tensors.ranges.data as Uint32Array;
  const slot = commands[end]!.tensors.slot as typeof tensors.ranges;
  const data = shared([ranges, slot.data], () => Uint32Array.from([...ranges, ...behind.places.flat()]));
  const packed = isConstant(tensors.weight) ? packedForQuads(tensors.weight, params.inputs!, params.outputs!) : null;
  const { KEEP } = behind.constants;
  const { value, moved, total } = behind.tensors;
  return {
    parts: inOrder(commands, [layer, ...behind.parts]),
    command: {
      label: commands[end]!.label.replace(/[^/]*$/, linearAffine.source.name),
      kernel: linearAffineKernel,
      tensors: {
        x: tensors.x!,
        weight: packed ?? tensors.weight!,
        bias: tensors.bias!,
        ranges: constantOf(data, 'ranges and places'),
        value,
        y: moved,
        total,
        p: KEEP ? behind.parameters : unusedTensor(behind.parameters, 1),
      },
      params: {
        ...behind.params,
        inputs: params.inputs!,
        outputs: params.outputs!,
        x_features: params.x_features!,
        x_at: params.x_at!,
        y_features: KEEP ? params.y_features! : 1,
        y_at: 0,
      },
      constants: { ...behind.constants, PACKED: packed !== null },
    },
  };
}

export const linearAffinesIn = /*#__PURE__*/ finder(fuseLinearAffine);
