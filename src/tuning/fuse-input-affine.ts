// The gradient by the inputs of a flow's layer and that of the affine transformer which gave them, as one command.

import { linearInputAffine } from '../kernels/linear-input-affine.js';
import { OUTPUTS } from '../kernels/linear-strips.js';
import type { Kernel } from '../runtime/kernel.js';
import type { Command } from '../runtime/program.js';
import { NONE, type TiledTensor } from '../runtime/tensor.js';
import { movesIn } from './affine-behind.js';
import { constantOf, type Fusion, finder, isConstant, isPlainLayer, isWholeLayer, mayRunAt, sharedByArrays, type Users } from './fusion.js';

export const inputAffineKernel = linearInputAffine as unknown as Kernel;

const shared = sharedByArrays<Uint32Array<ArrayBuffer>>();

/** What the transformer's gradient at `end` and the product in front fuse to; null where they do not. */
function fuseInputAffine(commands: readonly Command[], users: Users, end: number): Fusion | null {
  const back = commands[end]!;
  const { kernel, tensors, params, constants, stage } = back;
  if (kernel.source.name !== 'affine-backward' || stage !== undefined || !isConstant(tensors.slot)) return null;
  // The gradient by the log-det has to be one number: there is no place for a tensor of them.
  if (constants.HAS_LOG_DET !== false || constants.HAS_Y === false) return null;
  const gradient = tensors.d_y as TiledTensor;
  const at = users.get(gradient.id)?.at(-2) ?? -1;
  const product = commands[at];
  if (users.get(gradient.id)?.at(-1) !== end || product?.kernel.source.name !== 'linear-input-backward') return null;
  const { ADD } = product.constants;
  // Nothing but what it may add to came before, and the transformer alone reads the sum.
  if (users.get(gradient.id)!.length !== (ADD ? 3 : 2) || !isPlainLayer(product) || !isWholeLayer({ ...product, constants: {} }))
    return null;
  if (product.constants.ACTIVATION || product.params.outputs! > OUTPUTS || product.params.outputs !== params.features) return null;
  if (!isConstant(product.tensors.ranges) || !mayRunAt(commands, [at], end)) return null;
  const ranges = product.tensors.ranges.data as Uint32Array;
  const slot = tensors.slot.data as Uint32Array;
  const data = shared([ranges, slot], () => Uint32Array.from([...ranges, ...movesIn(slot, params.features!).flat()]));
  const { HAS_LOG_DET: _, HAS_Y: __, PLACED: ___, ...scale } = constants;
  return {
    parts: [product, back],
    command: {
      label: back.label.replace(/[^/]*$/, linearInputAffine.source.name),
      kernel: inputAffineKernel,
      tensors: {
        x: product.tensors.x!,
        weight: product.tensors.weight!,
        ranges: constantOf(data, 'ranges and places'),
        value: tensors.x!,
        parameters: tensors.parameters!,
        before: ADD ? gradient : NONE,
        d_x: tensors.d_x!,
        d_parameters: tensors.d_parameters!,
      },
      params: {
        inputs: product.params.inputs!,
        outputs: product.params.outputs!,
        x_features: product.params.x_features!,
        x_at: product.params.x_at!,
        y_features: params.features!,
        y_at: 0,
        slots: params.slots!,
        parameter_features: params.parameter_features!,
        log_gradient: params.log_gradient!,
      },
      constants: { ...scale, ADD: ADD === true },
    },
  };
}

export const inputAffinesIn = /*#__PURE__*/ finder(fuseInputAffine);
