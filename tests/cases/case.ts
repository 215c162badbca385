// What a case of a kernel is: shapes, constants, values of the call and a tolerance, one table a kernel. Tests compare the kernel with
// its float64 twin on each; benchmarks time the same shapes.

import type { Constants, Kernel, KernelSource, Params } from '../../src/runtime/kernel.js';
import { paddedRows, TILE } from '../../src/runtime/tensor.js';
import type { Random } from '../support/random.js';

export type Array32 = Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

/** One buffer of a case: its layout, and its contents for a number of rows. Rows of the last tile beyond the batch are NaN. */
export interface BufferSpec {
  /** `table` does not depend on the rows: weights, indices. */
  readonly layout: 'tiled' | 'row-major' | 'table';
  readonly make: (random: Random, rows: number) => Array32;
  /** The numbers without their signs, where a word is none: for `of: 'inputs'`. */
  readonly unsigned?: (data: Uint32Array<ArrayBuffer>) => Uint32Array<ArrayBuffer>;
}

export interface KernelCase<S extends KernelSource = KernelSource> {
  readonly name: string;
  readonly rows: number;
  readonly firstRow?: number;
  readonly seed?: number;
  readonly contextStride?: 0 | 1;
  /** Place in a sequence, for a kernel that reads it. */
  readonly sequence?: { readonly step: number; readonly steps: number; readonly period: number };
  readonly params: Params<S>;
  readonly constants?: Constants<S>;
  readonly buffers: { readonly [K in keyof S['buffers']]: BufferSpec };
  /**
   * |got − exact| ≤ bound · max(1, |exact|), or, `of: 'inputs'`, bound · (the same sum over the sizes of its terms): what a reduction
   * is held to, except for `logarithms`: outputs whose error is that of their argument, relative. Behind an activation at least its own error is
   * allowed. 0 compares bits.
   */
  readonly tolerance: {
    readonly bound: number;
    readonly of?: 'inputs';
    readonly logarithms?: readonly string[];
    /** Outputs that are held to another bound. */
    readonly bounds?: Readonly<Record<string, number>>;
  };
  /** Buffers that the kernel writes for itself alone: what they hold is not compared, what lies beyond them is. */
  readonly scratch?: readonly string[];
}

export interface KernelCases {
  readonly kernel: Kernel;
  readonly cases: readonly KernelCase[];
}

/** Checks a table against its kernel's shader, and forgets the shader's type, so that one test reads all tables. */
export const defineCases = <S extends KernelSource>(kernel: Kernel<S>, cases: readonly KernelCase<S>[]): KernelCases => ({
  kernel: kernel as unknown as Kernel,
  cases: cases as unknown as readonly KernelCase[],
});

/** Rows that end inside a row group, at one, inside a tile, and after several tiles. */
export const ROWS = [1, 3, 257, 1000] as const;

/** A unit in the last place of float32, relative. */
export const ULP = 2 ** -23;

/** Normals times `scale`, tiled [features, rows]. */
export const tiledNormals = (features: number, scale = 1): BufferSpec => ({
  layout: 'tiled',
  make: (random, rows) => {
    const data = random.normals(paddedRows(rows) * features, scale);
    for (let at = 0; at < data.length; at++) if (Math.floor(at / (features * TILE)) * TILE + (at % TILE) >= rows) data[at] = Number.NaN;
    return data;
  },
});

/** Normals, row-major [rows, features]. */
export const rowMajorNormals = (features: number): BufferSpec => ({
  layout: 'row-major',
  make: (random, rows) => random.normals(rows * features),
});

export const table = (make: (random: Random) => Array32): BufferSpec => ({ layout: 'table', make });

/** A read binding that the constants leave unread. */
export const unread = table(() => new Float32Array(4).fill(Number.NaN));
