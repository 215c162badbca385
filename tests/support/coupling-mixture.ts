// A coupling whose transformer is a mixture of Gaussians, and one that is interpolated: ops that no recipe writes.

import { couplingOps } from '../../src/flows/build/coupling.js';
import { mixtureOps } from '../../src/flows/build/mixture.js';
import type { Flow } from '../../src/flows/flow.js';
import { buildFresh, TensorWriter } from '../../src/flows/recipes/initial.js';
import type { NetDescription } from '../../src/format/description.js';
import type { Gpu } from '../../src/runtime/gpu.js';

/** D 5, C 2. */
export async function couplingMixture(gpu: Gpu): Promise<Flow> {
  const writer = new TensorWriter(70);
  const net = (prefix: string, inputs: number, outputs: number): NetDescription => {
    writer.linear(`${prefix}.0`, inputs + 2, 20);
    writer.linear(`${prefix}.1`, 20, outputs);
    return { type: 'zuko_mlp', linears: [`${prefix}.0`, `${prefix}.1`], activation: 'tanh', context_concat: true };
  };
  const [odd, even] = [
    [1, 3],
    [0, 2, 4],
  ];
  return buildFresh(
    gpu,
    { dim: 5, contextDim: 2 },
    [
      { op: 'coupling_mixture', components: 3, eps: 0.01, identity: odd, transform: even, net: net('a', 2, 3 * 3 * 3) },
      { op: 'coupling_affine', form: 'exp', mix: 0.4, identity: even, transform: odd, net: net('b', 3, 2 * 2) },
      { op: 'coupling_mixture', components: 2, eps: 0.01, identity: even, transform: odd, net: net('c', 3, 3 * 2 * 2) },
    ],
    writer,
    { ...couplingOps, ...mixtureOps },
  );
}
