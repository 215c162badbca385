// Flows that no recipe writes: their descriptions by hand.

import { couplingOps } from '../../src/flows/build/coupling.js';
import { elementwiseOps } from '../../src/flows/build/elementwise.js';
import { buildFlow } from '../../src/flows/build/flow.js';
import { linearOps } from '../../src/flows/build/linear.js';
import type { OpBuilders } from '../../src/flows/build/op.js';
import { structureOps } from '../../src/flows/build/structure.js';
import type { Flow } from '../../src/flows/flow.js';
import { TensorWriter } from '../../src/flows/recipes/initial.js';
import { writeLinear } from '../../src/flows/recipes/linear.js';
import type { BaseDescription, OpDescription } from '../../src/format/description.js';
import type { Gpu } from '../../src/runtime/gpu.js';

const ops: OpBuilders = { ...elementwiseOps, ...couplingOps, ...linearOps, ...structureOps };

/** A flow of a hand-written structure. */
export function describedFlow(
  gpu: Gpu,
  writer: TensorWriter,
  { features, structure, base = { type: 'standard_normal' } }: { features: number; structure: OpDescription[]; base?: BaseDescription },
): Flow {
  const description = {
    version: 1 as const,
    features,
    context_features: 0,
    event_shape: [features],
    base,
    structure_direction: 'density' as const,
    structure,
  };
  return buildFlow(gpu, description, writer.tensors, ops);
}

/** An affine coupling of the even features by the odd ones. */
function coupling(writer: TensorWriter, prefix: string, dim: number): OpDescription {
  const features = Array.from({ length: dim }, (_, f) => f);
  const [identity, transform] = [features.filter((f) => f % 2 === 1), features.filter((f) => f % 2 === 0)];
  writer.linear(`${prefix}.0`, identity.length, 12);
  writer.linear(`${prefix}.1`, 12, 2 * transform.length);
  const linears = [`${prefix}.0`, `${prefix}.1`];
  const net = { type: 'zuko_mlp', linears, activation: 'tanh', context_concat: false } as const;
  return { op: 'coupling_affine', form: 'tanh', bound: 1, identity, transform, net };
}

/** 5 features; 2 leave after a layer, 1 after the next, and a layer of its own moves the last 2. */
export async function splitTwice(gpu: Gpu): Promise<Flow> {
  const writer = new TensorWriter(109);
  const structure: OpDescription[] = [
    ...writeLinear(writer, 'mix.0', 5, 'lu'),
    coupling(writer, 'net.0', 5),
    { op: 'split', latent: [3, 0] },
    ...writeLinear(writer, 'mix.1', 3, 'qr'),
    coupling(writer, 'net.1', 3),
    { op: 'split', latent: [1] },
    coupling(writer, 'net.2', 2),
  ];
  return describedFlow(gpu, writer, { features: 5, structure });
}

/** A uniform base on the unit cube, a sigmoid onto it, a linear layer before it: logistic data, mixed. */
export async function uniformBehindSigmoid(gpu: Gpu): Promise<Flow> {
  const writer = new TensorWriter(95);
  writer.filled('base.low', [2], 0);
  writer.filled('base.high', [2], 1);
  const structure: OpDescription[] = [...writeLinear(writer, 'mix', 2, 'lu'), { op: 'sigmoid' }];
  return describedFlow(gpu, writer, { features: 2, structure, base: { type: 'box_uniform', low: 'base.low', high: 'base.high' } });
}
