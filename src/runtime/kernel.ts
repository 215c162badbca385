// A kernel as the runtime sees it: what reflection read from the shader, and how many workgroups a call needs. No maths here.

import type { Tensor } from './tensor.js';

export type Scalar = 'f32' | 'u32' | 'i32';
/** Workgroups along x, y and z. */
export type Grid = readonly [x: number, y: number, z: number];

export interface Binding {
  readonly binding: number;
  readonly access: 'read' | 'read_write';
  readonly element: Scalar;
}

/** One entry point, as scripts/generate-kernels.mjs writes it. */
export interface KernelSource {
  readonly name: string;
  readonly entryPoint: string;
  /** Imports expanded, minified. */
  readonly wgsl: string;
  readonly workgroupSize: readonly [number, number, number];
  /** Whether the entry point reads the `call` uniform (rows, seed) at binding 0. */
  readonly usesCall: boolean;
  readonly buffers: Readonly<Record<string, Binding>>;
  /** Override constants that the entry point reads. */
  readonly constants: Readonly<Record<string, { readonly default?: number | boolean | undefined }>>;
  readonly params: {
    readonly binding: number;
    readonly byteSize: number;
    readonly fields: Readonly<Record<string, { readonly type: Scalar; readonly offset: number }>>;
  };
}

/** Names one entry point among all. */
export const kernelKey = ({ name, entryPoint }: KernelSource): string => `${name}.${entryPoint}`;

export type Buffers<S extends KernelSource> = { readonly [K in keyof S['buffers']]: Tensor };
export type Params<S extends KernelSource> = { readonly [K in keyof S['params']['fields']]: number };
/** Kinds of override constants: a number that has no default, one that has, and a boolean with a default. */
export type Required = { readonly default?: undefined };
export type Optional = { readonly default: number };
export type Flag = { readonly default: boolean };
type Value<C> = C extends Flag ? boolean : number;
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
  /** The variant that is known to be faster on such an adapter (choices.ts); null for this kernel itself. */
  readonly prefers: ((params: Params<S>, adapter: string) => Kernel<S> | null) | null;
}

const elementOf: Readonly<Record<string, Scalar>> = { u: 'u32', i: 'i32', f: 'f32' };
const words = (text: string): string[] => text.split(' ').filter(Boolean);
const constantOf = (text: string): number | boolean => (/^[tf]/.test(text) ? text === 'true' : Number(text));

/**
 * A source from the short words that scripts/generate-kernels.mjs writes. `signature` is `call;parameters;buffers;constants`: the word
 * `call` where that uniform is read; parameters in order, u32 unless `:f`; buffers from binding 2 on, or from `@n`, f32 unless `:u`,
 * `!` where written; constants with `=default`.
 */
export function kernelSource<B extends Record<string, Scalar>, P extends string, C extends KernelSource['constants']>(
  name: string,
  entryPoint: string,
  [x, y, z]: KernelSource['workgroupSize'],
  signature: string,
  wgsl: string,
) {
  const [call, params, buffers, constants] = signature.split(';') as [string, string, string, string];
  const fields = words(params).map((word, index) => {
    const [field, type = 'u'] = word.split(':') as [string, string?];
    return [field, { type: elementOf[type]!, offset: 4 * index }] as const;
  });
  let free = 2;
  const bindings = words(buffers).map((word) => {
    const [, buffer, type = 'f', written, at] = /^(\w+)(?::(\w))?(!?)(?:@(\d+))?$/.exec(word)!;
    const binding = Number(at ?? free);
    free = binding + 1;
    return [buffer!, { binding, access: written ? 'read_write' : 'read', element: elementOf[type]! }] as const;
  });
  const overrides = words(constants).map((word) => {
    const [key, value] = word.split('=') as [string, string?];
    return [key, value === undefined ? {} : { default: constantOf(value) }] as const;
  });
  return {
    name,
    entryPoint,
    wgsl,
    workgroupSize: [x, y, z] as const,
    usesCall: call !== '',
    buffers: Object.fromEntries(bindings) as unknown as { readonly [K in keyof B]: Binding & { readonly element: B[K] } },
    constants: Object.fromEntries(overrides) as unknown as C,
    params: {
      binding: 1,
      byteSize: Math.ceil(fields.length / 4) * 16,
      fields: Object.fromEntries(fields) as Record<P, KernelSource['params']['fields'][string]>,
    },
  };
}

/** Joins a generated source to its dispatch geometry, where it is a product to its cost, and where it has variants to the rule that picks one. */
export function defineKernel<const S extends KernelSource>(
  source: S,
  grid: Kernel<S>['grid'],
  multiplyAdds: Kernel<S>['multiplyAdds'] = null,
  prefers: Kernel<S>['prefers'] = null,
): Kernel<S> {
  return { source, grid, multiplyAdds, prefers };
}

export const ceilDiv = (value: number, divisor: number): number => Math.ceil(value / divisor);
