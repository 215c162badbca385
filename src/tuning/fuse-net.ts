// The layers of a narrow conditioner, the transformer that they parameterise, and the sum of its log-det terms, as one command.

import { STRIP } from '../kernels/linear-strips.js';
import { groupsOf, type PackedNet, packNet, WIDEST } from '../kernels/narrow-net.js';
import { narrowNetAffine } from '../kernels/narrow-net-affine.js';
import { narrowNetSpline } from '../kernels/narrow-net-spline.js';
import { ceilDiv, type Kernel } from '../runtime/kernel.js';
import type { Command } from '../runtime/program.js';
import type { ConstantTensor, Tensor } from '../runtime/tensor.js';
import { type Fusion, isConstant, mayRunAt, sharedByArrays, soleWriter, sumBehind, type Users } from './fusion.js';

/** By the name of the transformer's kernel. */
const fused: Readonly<Record<string, Kernel>> = {
  affine: narrowNetAffine as unknown as Kernel,
  spline: narrowNetSpline as unknown as Kernel,
};

export const netKernels: readonly Kernel[] = Object.values(fused);

/** A layer that reads and writes plain features, no more than WIDEST. */
function isNarrow({ kernel, tensors, params, constants, stage }: Command): boolean {
  const padded = ceilDiv(params.outputs!, STRIP) * STRIP;
  const has = (tensor: Tensor | undefined, length: number) => isConstant(tensor) && tensor.data.length === length;
  return (
    kernel.source.name === 'masked-linear' &&
    stage === undefined &&
    isConstant(tensors.ranges) &&
    has(tensors.weight, params.inputs! * padded) &&
    has(tensors.bias, 3 * padded) &&
    tensors.x!.kind === 'tiled' &&
    params.inputs! <= WIDEST &&
    params.outputs! <= WIDEST &&
    params.blocks === 1 &&
    params.x_at === 0 &&
    params.y_at === 0 &&
    params.outputs === params.y_features &&
    !constants.GATE &&
    !constants.RAW
  );
}

/** Indices of the layers, first to last, that end in the parameters which command `reader` reads. */
function layersOf(commands: readonly Command[], users: Users, reader: number): number[] {
  const layers: number[] = [];
  let [addends, activation, scale] = [0, null as unknown, null as unknown];
  let [tensor, next] = [commands[reader]!.tensors.parameters!, reader];
  for (;;) {
    const index = soleWriter(users, tensor, next);
    if (index === null || !isNarrow(commands[index]!)) return layers;
    const { constants, params, tensors } = commands[index]!;
    const isLast = layers.length === 0;
    const differs = constants.ACTIVATION !== (activation ?? constants.ACTIVATION) || constants.SCALE !== (scale ?? constants.SCALE);
    if (isLast ? constants.ACTIVATION || constants.SCALE : differs) return layers;
    addends += constants.ADDEND ? 1 : 0;
    if (addends > 1 || (constants.ADDEND && params.addend_at !== 0)) return layers;
    if (!isLast) [activation, scale] = [constants.ACTIVATION, constants.SCALE];
    layers.unshift(index);
    [tensor, next] = [tensors.x!, index];
  }
}

const shared = sharedByArrays<PackedNet>();

function netOf(layers: readonly Command[], slot: Uint32Array): PackedNet {
  const packed = layers.map(({ tensors, params }) => {
    const [weight, bias, ranges] = [tensors.weight, tensors.bias, tensors.ranges].map((tensor) => (tensor as ConstantTensor).data);
    return { inputs: params.inputs!, outputs: params.outputs!, weight, bias, ranges } as Parameters<typeof packNet>[0][number];
  });
  return shared([...packed.flatMap(({ weight, bias, ranges }) => [weight, bias, ranges]), slot], () => packNet(packed, slot));
}

/** What the transformer at `end` and what leads to it fuse to; null where they do not. */
export function fuseNet(commands: readonly Command[], users: Users, end: number): Fusion | null {
  const { kernel, tensors, params, constants, stage, label } = commands[end]!;
  const target = fused[kernel.source.name];
  if (!target || stage !== undefined || constants.SHARED || constants.PLACED || !isConstant(tensors.slot)) return null;
  const indices = layersOf(commands, users, end);
  const last = commands[indices.at(-1) ?? -1];
  if (!last || last.params.outputs !== params.parameter_features) return null;
  const layers = indices.map((index) => commands[index]!);
  const counted = constants.HAS_LOG_DET !== false;
  const sum = counted ? sumBehind(commands, users, end) : null;
  if ((counted && !sum) || !mayRunAt(commands, indices, end)) return null;
  const net = netOf(layers, tensors.slot.data as Uint32Array);
  const [first] = layers as [Command];
  const addendLayer = layers.findIndex((layer) => layer.constants.ADDEND);
  const adds = layers[addendLayer];
  const constant = (name: string, data: ConstantTensor['data'], dtype: 'f32' | 'u32'): ConstantTensor => ({
    kind: 'constant',
    data,
    dtype,
    label: name,
  });
  return {
    parts: [...layers, commands[end]!, ...(counted ? [sum!] : [])],
    command: {
      label: label.replace(/[^/]*$/, target.source.name),
      kernel: target,
      tensors: {
        x: first.tensors.x!,
        weight: constant('weight', net.weight, 'f32'),
        bias: constant('bias', net.bias, 'f32'),
        plan: constant('plan', net.plan, 'u32'),
        addend: adds ? adds.tensors.addend! : first.tensors.x!,
        value: tensors.x!,
        y: tensors.y!,
        total: counted ? sum!.tensors.total! : tensors.log_terms!,
      },
      params: {
        layers: layers.length,
        x_features: first.params.x_features!,
        addend_layer: Math.max(0, addendLayer),
        addend_features: adds?.params.addend_features ?? 1,
        features: params.features!,
        slots: params.slots!,
        slot_at: net.slotAt,
        groups: groupsOf(net.widest),
      },
      constants: {
        ...constants,
        ACTIVATION: layers.length > 1 ? (first.constants.ACTIVATION ?? 0) : 0,
        ADDEND: adds !== undefined,
        NORM: layers.some((layer) => layer.constants.SCALE),
        HAS_LOG_DET: counted,
      },
    },
  };
}
