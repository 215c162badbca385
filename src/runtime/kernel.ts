// A kernel as the runtime sees it: what reflection read from the shader, and how many workgroups a call needs. No maths here.

import type { Tensor } from './tensor.js';

export type Scalar = 'f32' | 'u32' | 'i32';
/** Workgroups along x, y and z. */
export type Grid = readonly [x: number, y: number, z: number];

/** One entry point, as scripts/generate-kernels.mjs writes it. */
export interface KernelSource {
  readonly name: string;
  readonly entryPoint: string;
  /** Imports expanded, comments stripped. */
  readonly wgsl: string;
  readonly workgroupSize: readonly [number, number, number];
  /** Whether the entry point reads the `call` uniform (rows, seed) at binding 0. */
  readonly usesCall: boolean;
  readonly buffers: Readonly<
    Record<string, { readonly binding: number; readonly access: 'read' | 'read_write'; readonly element: Scalar }>
  >;
  readonly constants: Readonly<Record<string, { readonly type: 'u32' | 'i32' | 'f32' | 'bool'; readonly default?: number | boolean }>>;
  readonly params: {
    readonly binding: number;
    readonly byteSize: number;
    readonly fields: Readonly<Record<string, { readonly type: Scalar; readonly offset: number }>>;
  };
}

export type Buffers<S extends KernelSource> = { readonly [K in keyof S['buffers']]: Tensor };
export type Params<S extends KernelSource> = { readonly [K in keyof S['params']['fields']]: number };
type Value<C> = C extends { readonly type: 'bool' } ? boolean : number;
type WithDefault<C> = { [K in keyof C]: C[K] extends { readonly default: number | boolean } ? K : never }[keyof C];
/** Required unless WGSL gives the override a default. */
export type Constants<S extends KernelSource> = {
  readonly [K in Exclude<keyof S['constants'], WithDefault<S['constants']>>]: Value<S['constants'][K]>;
} & { readonly [K in WithDefault<S['constants']>]?: Value<S['constants'][K]> };

/** What a dispatch is given; `params` in the order of the shader's struct. */
export interface KernelCall<S extends KernelSource> {
  readonly buffers: Buffers<S>;
  readonly params: Params<S>;
  readonly constants?: Constants<S>;
}

export interface Kernel<S extends KernelSource = KernelSource> {
  readonly source: S;
  /** Workgroups for `rows` rows. */
  readonly grid: (rows: number, params: Params<S>) => Grid;
  /** Multiply-adds of one row, padding included; null for a kernel that does a handful of operations an element. */
  readonly multiplyAdds: ((call: Pick<KernelCall<S>, 'buffers' | 'params'>) => number) | null;
}

/** Joins a generated source to its dispatch geometry and, where it is a product, to its cost. */
export function defineKernel<const S extends KernelSource>(
  source: S,
  grid: Kernel<S>['grid'],
  multiplyAdds: Kernel<S>['multiplyAdds'] = null,
): Kernel<S> {
  return { source, grid, multiplyAdds };
}

export const ceilDiv = (value: number, divisor: number): number => Math.ceil(value / divisor);
