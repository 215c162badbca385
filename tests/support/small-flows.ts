// Two small flows on one device, prepared for 8 rows, for tests of the surface: what they compute does not matter there.

import { beforeAll } from 'vitest';
import { type Flow, type Gpu, maf } from '../../src/index.js';
import { useGpu } from './gpu.js';

export interface SmallFlows {
  readonly gpu: Gpu;
  /** D 3, unconditional. */
  readonly flow: Flow;
  /** D 3, C 2. */
  readonly conditional: Flow;
}

export function useSmallFlows(): SmallFlows {
  const context = useGpu();
  const held: { flow?: Flow; conditional?: Flow } = {};
  beforeAll(async () => {
    held.flow = await maf(context.gpu, { dim: 3, layers: 2, hidden: [8], seed: 1 });
    held.conditional = await maf(context.gpu, { dim: 3, layers: 2, hidden: [8], contextDim: 2, seed: 1 });
    await Promise.all([held.flow.prepare({ count: 8 }), held.conditional.prepare({ count: 8 })]);
  });
  return {
    get gpu() {
      return context.gpu;
    },
    get flow() {
      return held.flow!;
    },
    get conditional() {
      return held.conditional!;
    },
  };
}
