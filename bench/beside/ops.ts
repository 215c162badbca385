// The few operations that the flows here need, so that each is written once (graphs.ts) and runs in every library.

export interface Data {
  /** Row-major. */
  readonly data: Float32Array<ArrayBuffer>;
  readonly shape: readonly number[];
}

/** Float32 tensors of a library. Sizes are known when a graph is built. */
export interface Ops<T> {
  readonly shapeOf: (x: T) => readonly number[];
  readonly number: (value: number) => T;
  /** Of two matrices. */
  readonly matmul: (a: T, b: T) => T;
  readonly add: (a: T, b: T) => T;
  readonly sub: (a: T, b: T) => T;
  readonly mul: (a: T, b: T) => T;
  readonly div: (a: T, b: T) => T;
  /** 1 where a < b, else 0. */
  readonly less: (a: T, b: T) => T;
  readonly relu: (x: T) => T;
  readonly tanh: (x: T) => T;
  readonly exp: (x: T) => T;
  readonly sqrt: (x: T) => T;
  readonly softplus: (x: T) => T;
  /** Over the last axis. */
  readonly softmax: (x: T) => T;
  /** Over the last axis, which stays with size 1. */
  readonly sum: (x: T) => T;
  /** Of the last axis. */
  readonly slice: (x: T, from: number, to: number) => T;
  /** Along the last axis. */
  readonly concat: (parts: readonly T[]) => T;
  readonly reshape: (x: T, shape: readonly number[]) => T;
}

/** What one pass computes of the state, the noise and the weights by name. */
export type Graph = <T>(ops: Ops<T>, state: T, noise: T, weights: Readonly<Record<string, T>>) => T;

export interface Task {
  readonly name: string;
  readonly rows: number;
  readonly weights: Readonly<Record<string, Data>>;
  /** What the first pass begins with; each later one with what the one before gave. */
  readonly state: Data;
  readonly noise: Data;
  readonly graph: Graph;
  /** Passes of a whole task. */
  readonly passes: number;
}

/** A task in one library, with weights and inputs where it computes. */
export interface Contestant {
  /** So many passes, and what the last gives, on the host. */
  readonly run: (passes: number) => Promise<Float32Array>;
  readonly dispose: () => Promise<void> | void;
}
