// The public flow: records the programs of a bijector and a base, compiles them on first use, and runs them.

import type { FlowDescription, OpDescription } from '../format/description.js';
import { metadataFor } from '../format/format.js';
import { type StoredTensor, writeSafetensors } from '../format/safetensors.js';
import { watched } from '../runtime/error-scope.js';
import { LimitError, StateError } from '../runtime/errors.js';
import { Gpu } from '../runtime/gpu.js';
import { type Profile, profile } from '../runtime/profiler.js';
import type { Program } from '../runtime/program.js';
import { Recorder } from '../runtime/recorder.js';
import { copyOf, type Residents, runOnce } from '../runtime/residents.js';
import { type ArrayCall, ArrayRun } from '../runtime/run-arrays.js';
import { COPY_DST, COPY_SRC, STORAGE, VERTEX } from '../runtime/usage.js';
import type { Base } from './bases/base.js';
import type { Bijector } from './bijector.js';
import { Chain } from './bijectors/chain.js';
import {
  allocate,
  check,
  checkBuffer,
  checkContext,
  checkContextBuffer,
  checkCount,
  checkEncoder,
  checkOneOf,
  checkRows,
  checkSeed,
  randomSeed,
  resolveSeed,
} from './checks.js';
import { copyParameters } from './parameters.js';
import { asSaved, hasHalves, type SaveOptions } from './save-options.js';
import {
  type Density,
  INPUTS,
  isDensityTask,
  OUTPUTS,
  type Outputs,
  recordContext,
  recordDensity,
  recordEnd,
  recordLogDet,
  recordStart,
  type Task,
} from './task.js';

export interface ContextOption {
  /** Row-major [n, C], or [C] for all rows. */
  readonly context?: Float32Array;
}

export interface DensityOptions extends ContextOption {
  /** Integer in [0, 2^53): noise of an estimated log-det, where the flow has one. The same seed gives the same bits. Default 0. */
  readonly seed?: number;
}

export interface SampleOptions extends ContextOption {
  /** Integer in [0, 2^53). The same seed gives the same bits on one adapter, however the batch is split; without it each call differs. */
  readonly seed?: number;
}

/**
 * A normalizing flow on a device. Arrays are row-major Float32Array; densities are in nats; forward is x → z.
 *
 * Every method throws ShapeError or ValueError for arguments that do not fit, DisposedError after `dispose`, and DeviceLostError once
 * the device is lost. A row that holds a NaN gives NaN for that row and no other.
 */
export interface Flow {
  /** D: product of the event shape. */
  readonly dim: number;
  /** C; 0 for an unconditional flow. */
  readonly contextDim: number;
  /** x [n, D] to z [n, D], with log|det dz/dx| [n]. */
  forward(x: Float32Array, options?: DensityOptions): Promise<{ z: Float32Array; logDet: Float32Array }>;
  /** z [n, D] to x [n, D], with log|det dx/dz| [n]. */
  inverse(z: Float32Array, options?: DensityOptions): Promise<{ x: Float32Array; logDet: Float32Array }>;
  /** log p(x) [n] of x [n, D], nats. A density that is not finite is returned as it is. */
  logProb(x: Float32Array, options?: DensityOptions): Promise<Float32Array>;
  /** `count` draws, [count, D]. */
  sample(count: number, options?: SampleOptions): Promise<Float32Array>;
  /** Draws and their log-density, from one pass. */
  sampleWithLogProb(count: number, options?: SampleOptions): Promise<{ x: Float32Array; logProb: Float32Array }>;
  /**
   * Compiles what `encodeSample` and `encodeLogProb` need, and reserves scratch for `count` rows; after it they allocate nothing but
   * the result, where `into` is not given. They take more rows too, and then allocate while they record.
   *
   * @throws StateError where the device has no memory for that many rows.
   */
  prepare(options: { count: number }): Promise<void>;
  /**
   * Records a draw into the caller's encoder; the caller submits. Call `prepare` first. A row depends on the seed and its number alone, so
   * 64 rows are the first 64 of 256. Nothing is read back: a render pass of the same submission may read the buffer.
   *
   * @param options `into`: usage STORAGE, at least [count, D] floats; what lies beyond is left alone. `context`: [count, C], or [C] for all.
   * @returns `into`, or a new buffer [count, D] (STORAGE | COPY_SRC | COPY_DST | VERTEX) that the caller then owns.
   */
  encodeSample(encoder: GPUCommandEncoder, options: { count: number; seed: number; into?: GPUBuffer; context?: GPUBuffer }): GPUBuffer;
  /**
   * Records log p(x) of the row-major buffer x [count, D]; returns `into`, or a new buffer [count] that the caller then owns. `seed`,
   * default 0, is that of a log-det estimated at random.
   */
  encodeLogProb(
    encoder: GPUCommandEncoder,
    x: GPUBuffer,
    options: { count: number; seed?: number; into?: GPUBuffer; context?: GPUBuffer },
  ): GPUBuffer;
  /** Learned parameters by name; an imported flow keeps the state_dict's names, order and layout. Also where the device is lost. */
  parameters(): Promise<Record<string, { shape: number[]; data: Float32Array }>>;
  /**
   * The mean of −log p(x) over the rows of x [n, D], in nats, and its derivative by every parameter: the same names, the same layouts, 0
   * where a mask is. In reverse mode on the GPU.
   *
   * @throws UnsupportedError where a kernel of the density has no derivative rule.
   */
  gradients(x: Float32Array, options?: ContextOption): Promise<{ loss: number; gradients: Record<string, Float32Array> }>;
  /**
   * One safetensors file with the description in its metadata; `loadFlow` reads it back to the same bits. Also where the device is lost.
   *
   * `weights: 'float16'` rounds matrices to float16: half the file, and of the flow that is loaded from it half the memory and traffic of weights
   * on the device, with sums in float32. It rounds by up to 5e-4 of a weight, subnormals to 0 or 6.1e-5 (docs/format.md says what that costs).
   *
   * @throws ValueError where a weight is beyond 65504, the largest of float16.
   */
  save(options?: SaveOptions): Promise<Uint8Array>;
  /** Time of each kernel for `count` rows, and how it was measured. */
  profile(task: 'sample' | 'logProb', options: { count: number }): Promise<Profile>;
  /** Frees the flow's buffers. Idempotent. */
  dispose(): void;
  [Symbol.dispose](): void;
}

export interface FlowState {
  readonly description: FlowDescription;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly parameterNames: readonly string[];
  /** Learned numbers that each layer read first, in density order. */
  readonly layerParameters: readonly number[];
  /** The layers and the base again, over other tensors of the same names and shapes, which may hold places of numbers instead of numbers. */
  readonly assemble: (tensors: ReadonlyMap<string, StoredTensor>, places?: boolean) => { readonly bijector: Bijector; readonly base: Base };
}

export class GpuFlow implements Flow {
  readonly dim: number;
  readonly contextDim: number;
  readonly #gpu: Gpu;
  #bijector: Bijector;
  #base: Base;
  #state: FlowState;
  #tasks: Residents;

  constructor(gpu: Gpu, bijector: Bijector, base: Base, state: FlowState) {
    check(gpu instanceof Gpu, 'flow: gpu', 'a Gpu, from Gpu.request() or Gpu.from(device)', gpu);
    this.#gpu = gpu;
    this.#bijector = bijector;
    this.#base = base;
    this.#state = state;
    this.#tasks = this.#newTasks();
    this.dim = bijector.dim;
    this.contextDim = state.description.context_features;
  }

  /** What a program over more than this flow records with, and what checks look at. The layers know no device and outlive the flow. */
  get parts(): { readonly gpu: Gpu; readonly bijector: Bijector; readonly base: Base; readonly state: FlowState } {
    return { gpu: this.#gpu, bijector: this.#bijector, base: this.#base, state: this.#state };
  }

  async forward(x: Float32Array, options?: DensityOptions): Promise<Outputs<'forward'>> {
    return this.#run('forward', x, options);
  }

  async inverse(z: Float32Array, options?: DensityOptions): Promise<Outputs<'inverse'>> {
    return this.#run('inverse', z, options);
  }

  async logProb(x: Float32Array, options?: DensityOptions): Promise<Float32Array> {
    return (await this.#run('logProb', x, options)).logProb;
  }

  async sample(count: number, options?: SampleOptions): Promise<Float32Array> {
    return (await this.#run('sample', count, options)).x;
  }

  async sampleWithLogProb(count: number, options?: SampleOptions): Promise<Outputs<'sampleWithLogProb'>> {
    return this.#run('sampleWithLogProb', count, options);
  }

  async prepare({ count }: { count: number }): Promise<void> {
    checkCount('prepare', count);
    const { device } = this.#gpu;
    for (const executable of await Promise.all([this.#tasks.get('sample'), this.#tasks.get('logProb')])) {
      const failed = await watched(device, () => executable.reserve(count));
      if (failed === null) continue;
      executable.dropScratch();
      throw new StateError(`prepare for ${count} rows: the device ${failed}`);
    }
  }

  encodeSample(encoder: GPUCommandEncoder, options: { count: number; seed: number; into?: GPUBuffer; context?: GPUBuffer }): GPUBuffer {
    return this.#encode('sample', 'encodeSample', encoder, options);
  }

  encodeLogProb(
    encoder: GPUCommandEncoder,
    x: GPUBuffer,
    options: { count: number; seed?: number; into?: GPUBuffer; context?: GPUBuffer },
  ): GPUBuffer {
    const { seed = 0 } = options;
    return this.#encode('logProb', 'encodeLogProb', encoder, { ...options, seed, x });
  }

  async parameters(): Promise<Record<string, { shape: number[]; data: Float32Array }>> {
    this.#tasks.assertKept();
    return copyParameters(this.#state);
  }

  async gradients(x: Float32Array, options: ContextOption = {}): Promise<{ loss: number; gradients: Record<string, Float32Array> }> {
    this.#tasks.assertAlive();
    const { gradientsOf } = await import('../training/reverse.js');
    return gradientsOf(this, this.#tasks, x.slice(), options.context ? { context: options.context.slice() } : {});
  }

  async save(options?: SaveOptions): Promise<Uint8Array> {
    this.#tasks.assertKept();
    return writeSafetensors(await asSaved(this.#state.tensors, options), metadataFor(this.#state.description));
  }

  async profile(task: 'sample' | 'logProb', { count }: { count: number }): Promise<Profile> {
    checkOneOf('profile: task', task, ['sample', 'logProb']);
    check(checkCount('profile', count) > 0, 'profile: count', 'at least 1 row to measure', 0);
    const executable = await this.#tasks.get(task);
    const rows = Math.min(count, executable.rowsPerChunk);
    const run = new ArrayRun(this.#gpu, 'profile', [executable]);
    const widths = Object.entries(executable.program.externals).map(([name, { features }]) => [name, features] as const);
    try {
      return await profile(this.#gpu, executable, { rows, seed: 0, externals: run.acquireAll(Object.fromEntries(widths), rows) });
    } finally {
      run.release();
    }
  }

  /** @throws DisposedError, DeviceLostError */
  assertAlive(): void {
    this.#tasks.assertAlive();
  }

  dispose(): void {
    this.#tasks.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Compiles a program that reads x [n, D], and a context where the flow has one, runs it once and frees all of it: for checks, not for hot paths. */
  async runOnce(
    place: string,
    program: Program,
    { x, context }: ContextOption & { readonly x: Float32Array },
    outputs: ArrayCall['outputs'],
  ): Promise<void> {
    this.#tasks.assertAlive();
    const rows = x.length / this.dim;
    const contextStride = checkContext(place, context, this.contextDim, rows);
    if (rows === 0) return;
    const inputs: Record<string, Float32Array> = { x, ...(context && { context }) };
    // Its constants are its own as well: among the flow's they would stay until the flow goes.
    await runOnce(this.#gpu, 'flow', place, program, { rows, seed: 0, contextStride, inputs, outputs });
  }

  /** Records log p(x) on a recorder of the caller's, who may go on with it: a gradient, a loss. All tensors are tiled. */
  recordLogProb(r: Recorder): Density {
    return recordDensity(r, this.#bijector, this.#base, this.contextDim);
  }

  /**
   * Takes other numbers for learned tensors, by name. Calls that come later use them, recorded ones (`encodeSample`) included: what was
   * compiled is compiled again before this resolves.
   *
   * @throws DeviceLostError where the device is lost: `parameters` and `save` have the new numbers then too.
   */
  async replaceParameters(values: ReadonlyMap<string, Float32Array>): Promise<void> {
    const old = this.#tasks;
    old.assertKept();
    const tensors = new Map(this.#state.tensors);
    for (const [name, data] of values) tensors.set(name, { ...tensors.get(name)!, data });
    const { bijector, base } = this.#state.assemble(tensors);
    this.#bijector = bijector;
    this.#base = base;
    this.#state = { ...this.#state, tensors };
    this.#tasks = this.#newTasks(); // throws where the device is lost; the numbers are there all the same
    try {
      await Promise.all(old.names().map((name) => name in INPUTS && this.#tasks.get(name)));
    } finally {
      old.dispose();
    }
  }

  #newTasks(): Residents {
    return this.#gpu.residents('flow', (task) => this.record(task as Task), ['sample', 'logProb'], hasHalves(this.#state.tensors));
  }

  /** This flow behind one more layer at its data side. Device, tensors and base are shared, each flow is disposed on its own. */
  behind(layer: Bijector, op: OpDescription): GpuFlow {
    this.#tasks.assertAlive();
    const { description } = this.#state;
    const before = (own: Bijector) => new Chain(this.dim, [layer, ...(own instanceof Chain ? own.layers : [own])]);
    const { structure, structure_direction: direction } = description;
    const extended = { ...description, structure: direction === 'density' ? [op, ...structure] : [...structure, op] };
    return new GpuFlow(this.#gpu, before(this.#bijector), this.#base, {
      ...this.#state,
      assemble: (tensors, places) => {
        const { bijector, base } = this.#state.assemble(tensors, places);
        return { bijector: before(bijector), base };
      },
      description: extended,
      layerParameters: [0, ...this.#state.layerParameters],
    });
  }

  /** The program of a task: printable, and what tests run in float64. */
  record(task: Task): Program {
    const r = new Recorder('flow');
    const context = recordContext(r, this.contextDim);
    const start = recordStart(r, task, this.#base, context);
    const logDet = recordLogDet(r, task);
    const direction = isDensityTask(task) ? 'forward' : 'inverse';
    const moved = this.#bijector[direction](r, start, { logDet, context });
    recordEnd(r, task, this.#base, { start, moved, logDet, context });
    return r.finish();
  }

  #encode(
    task: 'sample' | 'logProb',
    caller: string,
    encoder: GPUCommandEncoder,
    { count, seed, into, context, x }: { count: number; seed: number; into?: GPUBuffer; context?: GPUBuffer; x?: GPUBuffer },
  ): GPUBuffer {
    this.#tasks.assertAlive();
    const executable = this.#tasks.ready(task);
    if (!executable) throw new StateError(`${caller}: await flow.prepare({ count }) first; compiling is asynchronous, encoding is not`);
    checkEncoder(caller, encoder);
    checkCount(caller, count);
    checkSeed(caller, seed);
    if (task === 'logProb') checkBuffer(`${caller}: x`, x!, [count, this.dim]);
    const contextStride = checkContextBuffer(caller, context, this.contextDim, count);
    const result = this.#output(caller, count, task === 'sample' ? this.dim : 1, into);
    const externals = { ...(x && { x }), ...(context && { context }), [OUTPUTS[task][0]]: result };
    executable.encode(encoder, { rows: count, seed, contextStride, externals });
    return result;
  }

  /** Runs a task on arrays, or for as many draws; the caller's arrays are read before this returns its promise. */
  async #run<T extends Task>(task: T, given: Float32Array | number, options: SampleOptions = {}): Promise<Outputs<T>> {
    const [name, { context }] = [INPUTS[task], options];
    const rows = name ? checkRows(`${task}: ${name}`, given as Float32Array, this.dim) : checkCount(task, given as number);
    this.#tasks.assertAlive();
    const seed = resolveSeed(task, options.seed, () => (name ? 0 : randomSeed()));
    const contextStride = checkContext(task, context, this.contextDim, rows);
    const widths = { x: this.dim, z: this.dim, logDet: 1, logProb: 1 };
    const outputs = Object.fromEntries(OUTPUTS[task].map((output) => [output, allocate(task, rows, widths[output])])) as Outputs<T>;
    if (rows === 0) return outputs;
    const inputs: Record<string, Float32Array> = { ...(name && { [name]: given as Float32Array }), ...(context && { context }) };
    const call = { rows, seed, contextStride, inputs, outputs };
    const { hosted } = this.#bijector; // where a layer's number of commands depends on the data
    if (hosted) {
      const whole = { residents: this.#tasks, bijector: this.#bijector, base: this.#base, contextDim: this.contextDim };
      await hosted(whole, task, { ...call, inputs: copyOf(inputs) });
    } else await this.#tasks.run(task, task, call);
    return outputs;
  }

  #output(caller: string, count: number, width: number, into: GPUBuffer | undefined): GPUBuffer {
    if (into) {
      checkBuffer(`${caller}: into`, into, width === 1 ? [count] : [count, width]);
      return into;
    }
    const size = Math.max(4, count * width * 4);
    const { maxBufferSize } = this.#gpu.device.limits;
    if (size > maxBufferSize)
      throw new LimitError(`${caller}: count`, `a result of at most ${maxBufferSize} bytes (maxBufferSize)`, `${size}`);
    return this.#gpu.device.createBuffer({ label: caller, size, usage: STORAGE | COPY_SRC | COPY_DST | VERTEX });
  }
}

/** @throws ValueError for what is no flow, or one of another library. */
export function ownFlow(place: string, flow: Flow): GpuFlow {
  check(flow instanceof GpuFlow, place, 'a flow of this library', flow);
  return flow;
}
