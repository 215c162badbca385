import { ceilDiv, defineKernel, type Kernel, type KernelSource } from '../runtime/kernel.js';
import { TILE } from '../runtime/tensor.js';
import * as source from './generated/thin-net.js';
import { STRIP } from './linear-strips.js';

/** Features of a thin layer's narrow side at most, and inputs of the wide layer (shaders/lib/thin-net.wgsl). */
export const THIN = 4;
export const WIDE = 64;

type Sizes = Readonly<Record<'inputs' | 'outputs' | 'front' | 'back', number>>;

type NetSource = KernelSource & { readonly params: { readonly fields: Readonly<Record<keyof Sizes, unknown>> } };

/** A workgroup for half a tile of rows. */
export const thinNetKernel = <const S extends NetSource>(source: S): Kernel<S> => ({
  ...(defineKernel<NetSource>(
    source,
    (rows) => [ceilDiv(rows, TILE / 2), 1, 1],
    ({ params }) => {
      const { inputs, outputs, front, back } = params as Sizes;
      return front * inputs + inputs * outputs + outputs * back;
    },
  ) as unknown as Kernel<S>),
  settings: (params) => {
    const { inputs, front, back } = params as Sizes;
    return { FRONT: front, BEHIND: back, EIGHTS: ceilDiv(inputs, STRIP), RAGGED: inputs % STRIP !== 0, SHORT: true };
  },
});

export const thinNet = /*#__PURE__*/ thinNetKernel(source.thinNet);
