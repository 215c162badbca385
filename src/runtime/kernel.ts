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
  /** What a device needs to compile it, where not every one does. */
  readonly feature?: GPUFeatureName;
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
  /** Override constants that follow from the parameters. */
  readonly settings?: (params: Params<S>) => Readonly<Record<string, number | boolean>>;
}

const words = (text: string): string[] => text.split(' ').filter(Boolean);
const constantOf = (text: string): number | boolean => (/^[tf]/.test(text) ? text === 'true' : Number.parseFloat(text));
const elementOf = (type: string): Scalar => `${type.at(-1) as 'f' | 'u' | 'i'}32`;
const letter = (index: number): string => String.fromCharCode(index);

/** The text of a shader and what its entry points bind. */
interface ShaderText extends Pick<KernelSource, 'wgsl' | 'params'> {
  readonly bindings: readonly (readonly [string, Binding])[];
  /** Of override constants, as the text has them; empty where it has none. */
  readonly defaults: ReadonlyMap<string, string>;
}

/**
 * A shader from the short words that scripts/generate-kernels.mjs writes: parameters in order, u32 unless `:f`; buffers from binding 2 on, or
 * from `@n`, arrays of vec4f unless `:f`, `!` where written. The text calls them by their place, parameters Z.a, Z.b, …, buffers A, B, …, unless
 * `=name` follows, and they are declared in front of it, if it does not do that itself. `@16,4 name id{` is the head of an entry point, and
 * `@64 name group lane{` that of one which asks for its workgroup.
 */
export function shaderText(parameters: string, buffers: string, text: string, declares = false): ShaderText {
  let declared = '';
  const declare = (binding: number, space: string, type: string) => {
    declared += `@group(0)@binding(${binding})var<${space}:${type};`;
  };
  const fields = words(parameters).map((word, index) => {
    const [, field, name = letter(97 + index), type = 'u'] = /^(\w+)(?:=(\w+))?(?::(\w))?$/.exec(word)!;
    declared += `${index === 0 ? 'struct P0{' : ','}${name}:${type}32`;
    return [field!, { type: elementOf(type), offset: 4 * index }] as const;
  });
  if (fields.length > 0) {
    declared += '}';
    declare(1, 'uniform>Z', 'P0');
  }
  let free = 2;
  const bindings = words(buffers).map((word) => {
    const [, buffer, name, type = 'vec4f', written, at = free] = /^(\w+)(?:=(\w+))?(?::(\w+))?(!?)(?:@(\d+))?$/.exec(word)!;
    const binding = Number(at);
    free = binding + 1;
    const access = written ? 'read_write' : 'read';
    declare(binding, `storage,${access}>${name ?? letter(63 + binding)}`, `array<${type.length > 1 ? type : elementOf(type)}>`);
    return [buffer!, { binding, access, element: elementOf(type) }] as const;
  });
  const whole = text.replace(
    /@([\d,]+) (\w+) (\w+)(?: (\w+))?{/g,
    (_, size, name, id, lane) =>
      `@compute@workgroup_size(${size})fn ${name}(@builtin(${lane ? `workgroup_id)${id}:vec3u,@builtin(local_invocation_id)${lane}` : `global_invocation_id)${id}`}:vec3u){`,
  );
  return {
    wgsl: declares ? whole : declared + whole,
    bindings,
    defaults: new Map([...text.matchAll(/override (\w+)[^=;]*=?([^;]*)/g)].map(([, key, value]) => [key!, value!.trim()] as const)),
    params: { binding: 1, byteSize: Math.ceil(fields.length / 4) * 16, fields: Object.fromEntries(fields) },
  };
}

/**
 * An entry point of a shader.
 *
 * @param names `call` where that uniform is read, then override constants
 * @param used its buffers, by their place in the shader's list; default all
 */
export function kernelSource<B extends Record<string, Scalar>, P extends string, C extends KernelSource['constants']>(
  name: string,
  names: string,
  { wgsl, params, bindings, defaults }: ShaderText,
  entryPoint: string = name.replaceAll('-', '_'),
  used?: readonly number[],
) {
  const constants = words(names).map((key) => {
    const value = defaults.get(key);
    return [key, value ? { default: constantOf(value) } : {}] as const;
  });
  const usesCall = constants[0]?.[0] === 'call';
  const size = new RegExp(`workgroup_size\\(([^)]*)\\)\\s*fn ${entryPoint}\\b`).exec(wgsl)![1]!;
  const [x, y = 1, z = 1] = size.split(',').map(Number) as [number, number?, number?];
  return {
    name,
    entryPoint,
    wgsl,
    workgroupSize: [x, y, z] as const,
    usesCall,
    buffers: Object.fromEntries(used ? used.map((index) => bindings[index]!) : bindings) as unknown as {
      readonly [K in keyof B]: Binding & { readonly element: B[K] };
    },
    constants: Object.fromEntries(usesCall ? constants.slice(1) : constants) as unknown as C,
    params: params as Omit<KernelSource['params'], 'fields'> & { readonly fields: Record<P, KernelSource['params']['fields'][string]> },
  };
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
