// Virtual tensors: a shape and a name, no GPU object. The recorder hands them out, the executable maps them to buffers.

/** Rows of a tile; see shaders/lib/layout.wgsl. */
export const TILE = 64;

export type Dtype = 'f32' | 'u32';

export interface TiledTensor {
  /** Scratch [rows / 64, features, 64]: lives from the first command that writes it to the last that reads it. */
  readonly kind: 'tiled';
  readonly id: number;
  readonly features: number;
  readonly dtype: Dtype;
  readonly label: string;
  /** Name of the buffer that the caller gives at encode, where the tensor outlives the program; left out for scratch. */
  readonly state?: string;
}

export interface ExternalTensor {
  /** The caller's row-major buffer [rows, features]; with 0 features a table that all rows share. */
  readonly kind: 'external';
  readonly name: string;
  readonly features: number;
  readonly dtype: Dtype;
  readonly label: string;
  /** First element that is bound; see Recorder.slice. Default 0. */
  readonly from?: number;
}

export interface ConstantTensor {
  /** Data that never changes: packed weights, tables. Shared by every program that names the same array. */
  readonly kind: 'constant';
  readonly data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;
  readonly dtype: Dtype;
  readonly label: string;
  /** First element that is bound; see Recorder.slice. Default 0. */
  readonly from?: number;
  /** For numbers that are computed from parameters: which of the tables of an origin they are. Copies of parameters need none. */
  readonly origin?: { readonly of: Origin; readonly table: string };
  /** The tables that it holds one after another, for one that may be learned in part; each lies at a multiple of SLICE. */
  readonly pieces?: readonly { readonly from: number; readonly of: ConstantTensor }[];
  /** What a fused constant is made of, for those who take its command apart (src/training/unfuse.ts). */
  readonly parts?: object | null;
  /** Of a list of tasks that may be one of several: makes that of the whole, for what runs it in one dispatch (src/tuning/fuse-block-solves.ts). */
  readonly whole?: (() => object) | null;
}

/** How constants that are computed from parameters come about, for those who compute them on the device (src/kernels/rules). */
export interface Origin {
  readonly kind: string;
  /** What they are made from: copies of parameters, or numbers that stay. */
  readonly inputs: Readonly<Record<string, Float32Array<ArrayBuffer>>>;
  /** Numbers that gradients take for fixed, though they may follow from the parameters. */
  readonly held?: Readonly<Record<string, Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>>>;
  readonly settings: Readonly<Record<string, number | string>>;
  /** Of a batch norm, whose `center` and `offset` follow from them. */
  readonly running?: RunningStatistics;
}

/** Running statistics of a batch norm, the very arrays of its tensors: training takes others in their place, those of the rows. */
export interface RunningStatistics {
  readonly mean: Float32Array;
  readonly variance: Float32Array;
  readonly eps: number;
  /** Which of them belongs to each feature, if not its own number. */
  readonly order?: Uint32Array<ArrayBuffer>;
}

/** Scratch that does not depend on the rows: weights made from parameters on the device, and gradients by them. Float32. */
export interface TableTensor {
  readonly kind: 'table';
  readonly id: number;
  readonly length: number;
  readonly dtype: 'f32';
  readonly label: string;
  /** Elements of the buffer that it lies in, of which it may be a slice; see Recorder.part. */
  readonly whole: number;
  /** First element of the slice. */
  readonly from: number;
  /** Name of the buffer that the caller gives at encode, where the table outlives the program; left out for scratch. */
  readonly state?: string;
}

export type Tensor = TiledTensor | ExternalTensor | ConstantTensor | TableTensor;

/** Elements that a slice starts at a multiple of: 256 bytes, the largest minStorageBufferOffsetAlignment there is. */
export const SLICE = 64;

/** Elements rounded up to where the next slice may start. */
export const sliced = (length: number): number => SLICE * Math.ceil(length / SLICE);

/** Name of the caller's buffer that a tensor lies in; undefined for scratch and constants. */
export const nameOf = (tensor: Tensor): string | undefined =>
  tensor.kind === 'external' ? tensor.name : tensor.kind === 'constant' ? undefined : tensor.state;

/** Rows rounded up to whole tiles. */
export const paddedRows = (rows: number): number => Math.ceil(rows / TILE) * TILE;

/** For a read-only binding that the chosen constants leave unread: WebGPU wants a buffer all the same. */
export const NONE: ConstantTensor = { kind: 'constant', data: new Float32Array(4), dtype: 'f32', label: 'none' };
