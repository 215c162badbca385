// What a float64 twin of a kernel is: the same buffers in the same layouts, the same params, constants and call values, and outputs
// written in place. The types come from the generated source, so a field that changes in WGSL is an error in the twin.

import type { Flag, KernelSource, Params } from '../../src/runtime/kernel.js';

export type Numbers = Float64Array | Float32Array | Uint32Array;

/** Values of one encode call; shaders/lib/call.wgsl. */
export interface CallInput {
  readonly rows: number;
  readonly firstRow: number;
  /** Integer in [0, 2^53). */
  readonly seed: number;
  readonly contextStride: 0 | 1;
  /** Place in a sequence, for kernels that read it. */
  readonly step?: number;
  readonly steps?: number;
  readonly period?: number;
}

export interface TwinCall<S extends KernelSource> extends CallInput {
  readonly buffers: { readonly [K in keyof S['buffers']]: S['buffers'][K]['element'] extends 'u32' ? Uint32Array : Float64Array };
  readonly params: Params<S>;
  /** Complete: defaults are filled in. */
  readonly constants: { readonly [K in keyof S['constants']]: S['constants'][K] extends Flag ? boolean : number };
}

export interface Twin {
  readonly source: KernelSource;
  readonly run: (call: TwinCall<KernelSource>) => void;
}

export const defineTwin = <const S extends KernelSource>(source: S, run: (call: TwinCall<S>) => void): Twin => ({
  source,
  run: run as unknown as Twin['run'],
});

/** Override constants of a call with the shader's defaults. @throws where a required one is missing. */
export function completeConstants(
  source: KernelSource,
  given: Readonly<Record<string, number | boolean>> = {},
): Record<string, number | boolean> {
  const constants: Record<string, number | boolean> = {};
  for (const [name, { default: fallback }] of Object.entries(source.constants)) {
    const value = given[name] ?? fallback;
    if (value === undefined) throw new Error(`${source.name}.${source.entryPoint}: no value for the constant ${name}`);
    constants[name] = typeof fallback === 'boolean' ? Boolean(value) : Number(value);
  }
  return constants;
}
