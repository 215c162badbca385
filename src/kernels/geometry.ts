// Kernels by their grid. Workgroup sizes are the shader's own (generated), never repeated here.

import { ceilDiv, defineKernel, type Kernel, type KernelSource, type Params } from '../runtime/kernel.js';
import { TILE } from '../runtime/tensor.js';

/** One invocation for four rows. */
export const rowKernel = <const S extends KernelSource>(source: S): Kernel<S> =>
  defineKernel(source, (rows) => [ceilDiv(ceilDiv(rows, 4), source.workgroupSize[0]), 1, 1]);

/** One invocation for four rows of one feature, or of one of `count` blocks of features. */
export function featureKernel<const S extends KernelSource & { readonly params: { readonly fields: { readonly features: unknown } } }>(
  source: S,
): Kernel<S>;
export function featureKernel<const S extends KernelSource>(source: S, count: (params: Params<S>) => number): Kernel<S>;
export function featureKernel<const S extends KernelSource>(
  source: S,
  count: (params: Params<S>) => number = (params) => (params as { readonly features: number }).features,
): Kernel<S> {
  const [x, y] = source.workgroupSize;
  return defineKernel(source, (rows, params) => [ceilDiv(ceilDiv(rows, 4), x), ceilDiv(count(params), y), 1]);
}

/** Workgroups along one axis at most: the default limit. */
const ACROSS = 65535;

/** One invocation for each `share` of `count` numbers that no row changes, with workgroups folded along y (shaders/lib/elements.wgsl). */
export const elementKernel = <const S extends KernelSource>(source: S, count: (params: Params<S>) => number, share = 1): Kernel<S> =>
  defineKernel(source, (_, params) => {
    const groups = ceilDiv(count(params), source.workgroupSize[0] * share);
    return [Math.min(groups, ACROSS), ceilDiv(groups, ACROSS), 1];
  });

/** The same for few, along x alone. */
export const listKernel = <const S extends KernelSource>(source: S, count: (params: Params<S>) => number): Kernel<S> =>
  defineKernel(source, (_, params) => [ceilDiv(count(params), source.workgroupSize[0]), 1, 1]);

/** One workgroup for a tile of 64 rows, of one strip of outputs and one layer of the grid. */
export const tileKernel = <const S extends KernelSource>(
  source: S,
  multiplyAdds: Kernel<S>['multiplyAdds'] = null,
  grid: (params: Params<S>) => readonly [strips: number, layers: number] = () => [1, 1],
): Kernel<S> =>
  defineKernel(
    source,
    (rows, params) => {
      const [strips, layers] = grid(params);
      return [ceilDiv(rows, TILE), ceilDiv(strips, source.workgroupSize[1]), layers];
    },
    multiplyAdds,
  );
