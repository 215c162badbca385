// The device and what belongs to it: pipelines, memory, readback. Adopts a device or requests one.

import type { TuningReport } from '../tuning/report.js';
import type { TuneOptions } from '../tuning/tune.js';
import { CallTable } from './call-values.js';
import { Choices, type RowsClass } from './choices.js';
import { AdapterError, DeviceLostError, DisposedError, type PushforwardError, ValueError } from './errors.js';
import { Executable } from './executable.js';
import { Memory } from './memory.js';
import { PipelineCache, type Pipelines } from './pipelines.js';
import type { Program } from './program.js';
import { Readback } from './readback.js';
import { Residents } from './residents.js';

export interface GpuRequest {
  readonly powerPreference?: GPUPowerPreference;
  /** Refuse a software adapter (SwiftShader, llvmpipe, WARP) instead of running slowly on it. Default false. */
  readonly requireHardware?: boolean;
}

/** What a device is asked for where its adapter has it: for profiles, and for variants of kernels. */
const wantedFeatures = ({ features }: GPUAdapter): GPUFeatureName[] =>
  (['timestamp-query', 'subgroups'] as const).filter((feature) => features.has(feature));

export interface GpuOptions {
  /** Upper bound of the rows of one chunk; tests use it to see that splitting changes no bit. */
  readonly maxRowsPerChunk?: number;
}

/** Whether an adapter computes on the CPU. */
export function isSoftwareAdapter(info: Partial<GPUAdapterInfo>): boolean {
  return (
    info.isFallbackAdapter === true ||
    /swiftshader|llvmpipe|lavapipe|warp|basic render/i.test(`${info.vendor} ${info.architecture} ${info.device} ${info.description}`)
  );
}

/**
 * A WebGPU device with the library's caches.
 *
 * ```ts
 * const gpu = await Gpu.request();
 * const flow = await maf(gpu, { dim: 2 });
 * gpu.dispose();
 * ```
 */
export class Gpu {
  readonly device: GPUDevice;
  readonly memory: Memory;
  readonly pipelines: PipelineCache;
  readonly choices: Choices;
  readonly readback: Readback;
  readonly callTable: CallTable;
  readonly maxRowsPerChunk: number;
  /** Of everything on this Gpu that is not disposed. */
  readonly owners = new Set<Residents>();
  readonly #owned: boolean;
  #disposed = false;
  #lost: string | null = null;

  private constructor(device: GPUDevice, owned: boolean, options: GpuOptions) {
    this.device = device;
    this.#owned = owned;
    this.memory = new Memory(device);
    this.pipelines = new PipelineCache(device);
    this.choices = new Choices(device);
    this.readback = new Readback(this);
    this.callTable = new CallTable(device, this.memory);
    this.maxRowsPerChunk = options.maxRowsPerChunk ?? Number.POSITIVE_INFINITY;
    if (!(this.maxRowsPerChunk >= 1)) throw new ValueError('Gpu.from: maxRowsPerChunk', 'a positive number', String(this.maxRowsPerChunk));
    device.lost.then((info) => {
      this.#lost = `${info.reason}: ${info.message}`;
    });
  }

  /**
   * Requests an adapter and a device with default limits, and timestamps and subgroups where the adapter has them.
   *
   * @throws AdapterError where there is no WebGPU, no adapter, or only a software one and `requireHardware` is set.
   */
  static async request(options: GpuRequest = {}): Promise<Gpu> {
    const api = globalThis.navigator?.gpu;
    if (!api)
      throw new AdapterError(
        'this page has no WebGPU: it needs a secure context (https or localhost) in Chrome or Edge 113+, Safari 26+ or Firefox 141+, or in Node the `webgpu` package and Gpu.from(device)',
      );
    const adapter = await api.requestAdapter(options.powerPreference ? { powerPreference: options.powerPreference } : {});
    if (!adapter)
      throw new AdapterError(
        'WebGPU is there but offers no adapter: update the GPU driver, or start Chrome with --enable-unsafe-webgpu --use-webgpu-adapter=swiftshader --enable-unsafe-swiftshader for a software one',
      );
    if (options.requireHardware && isSoftwareAdapter(adapter.info))
      throw new AdapterError(
        `a hardware adapter was required; this one is software: ${adapter.info.vendor} ${adapter.info.architecture} ${adapter.info.description}`.trim(),
      );
    const device = await adapter.requestDevice({
      label: 'pushforward',
      requiredFeatures: wantedFeatures(adapter),
    });
    return new Gpu(device, true, {});
  }

  /** Adopts a device. It is borrowed: never destroyed by us, and our buffers on it go with `dispose`. */
  static from(device: GPUDevice, options: GpuOptions = {}): Gpu {
    return new Gpu(device, false, options);
  }

  /** Compiles the pipelines of a program, in parallel. The only asynchronous step before encoding. */
  async compile(program: Program, residents: Residents): Promise<Executable> {
    this.assertAlive();
    await this.choices.ready();
    const arranged = this.choices.arrange(program);
    const recorded = residents.halves ? (await import('../tuning/halves.js')).halveProgram(arranged) : arranged;
    const pipelines = await this.pipelinesOf(recorded);
    residents.assertAlive(' while it compiled');
    return new Executable(this, recorded, pipelines, residents);
  }

  /** Compiles what a program runs on this adapter, in parallel. */
  async pipelinesOf(recorded: Program): Promise<Pipelines> {
    await this.choices.ready();
    const program = this.choices.fuse(recorded);
    const compile = (rows: RowsClass) =>
      Promise.all(program.commands.map((command) => this.pipelines.get(command, this.choices.of(command, rows))));
    try {
      // Only a measurement tells few rows from many.
      const many = compile('many');
      const [forMany, forFew] = await Promise.all([many, this.choices.measured.size > 0 ? compile('few') : many]);
      return { program, many: forMany, few: forFew };
    } catch (error) {
      throw await this.explain(error as PushforwardError);
    }
  }

  /**
   * For the programs of one owner and their constants.
   *
   * @param owner what errors call it.
   * @param record its programs, by name.
   * @param usual those that most of its users run.
   * @param halves whether weights that float16 holds are kept as that.
   */
  residents(owner = 'flow', record?: (name: string) => Program, usual: readonly string[] = [], halves = false): Residents {
    const residents = new Residents(this, owner, record, usual, halves);
    this.owners.add(residents);
    return residents;
  }

  /**
   * Times the variants of the kernels that the flows on this Gpu run (of a flow that has run nothing yet: `sample` and `logProb`), and runs the fastest
   * ones from then on. A variant counts only if its results agree; they differ by rounding. Choices are kept for the next visit, in
   * IndexedDB or in a file (Node), and found there without timing. Nothing else should run meanwhile.
   *
   * ```ts
   * const flow = await importTorch(gpu, description, weights);
   * const report = await gpu.tune({ rows: 4096 });
   * console.log(String(report));
   * ```
   *
   * @throws ValueError for options out of range, DisposedError, DeviceLostError.
   */
  async tune(options: TuneOptions = {}): Promise<TuningReport> {
    const { tune } = await import('../tuning/tune.js');
    return tune(this, options);
  }

  /** Which variant each kernel of the programs compiled so far runs with, and why: measured, remembered, by a rule for this adapter, or the default. */
  async report(): Promise<TuningReport> {
    this.assertAlive();
    const { reportOf } = await import('../tuning/report.js');
    return reportOf(this);
  }

  /** Throws DisposedError after `dispose`, DeviceLostError after the device was lost. */
  assertAlive(): void {
    if (this.#disposed) throw new DisposedError('this Gpu was disposed; request another one');
    if (this.#lost !== null)
      throw new DeviceLostError(`the GPU device was lost (${this.#lost}); request another one and load the flow again`);
  }

  /**
   * The error to throw for work that failed late: `error` itself, unless the device went away, which explains any failure. The news of
   * a loss may come after what it broke, so it is waited for a little.
   */
  async explain(error: PushforwardError): Promise<PushforwardError> {
    if (!this.#disposed && this.#lost === null) await Promise.race([this.device.lost, new Promise((resolve) => setTimeout(resolve, 200))]);
    try {
      this.assertAlive();
    } catch (reason) {
      return reason as PushforwardError;
    }
    return error;
  }

  /** Frees every buffer of the library on this device, and the device itself unless it was adopted. Idempotent. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.memory.dispose();
    if (this.#owned) this.device.destroy();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
