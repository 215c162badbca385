// A training run on the device: the data set, the parameters and the optimiser's state in buffers, many steps a submission.

import type { GpuFlow } from '../flows/flow.js';
import { CONTROL, CONTROL_AT } from '../kernels/optimiser.js';
import { StateError } from '../runtime/errors.js';
import type { Executable } from '../runtime/executable.js';
import type { Gpu } from '../runtime/gpu.js';
import type { Residents } from '../runtime/residents.js';
import { COPY_DST, COPY_SRC, STORAGE } from '../runtime/usage.js';
import { recordEvaluation, recordStep, type StepOptions } from './step.js';
import { flatParameters, layoutOf, type ParameterLayout } from './trainable.js';

export interface DataSet {
  readonly x: Float32Array;
  readonly context?: Float32Array | undefined;
}

/** Where a run stands, as read from the device. */
export interface Standing {
  /** Steps that changed the parameters. */
  readonly step: number;
  readonly learningRate: number;
  readonly gradientNorm: number;
  /** The step whose loss or gradient was not finite; null while all were. Later steps changed nothing. */
  readonly failed: number | null;
}

export class Trainer {
  readonly layout: ParameterLayout;
  readonly #gpu: Gpu;
  readonly #flow: GpuFlow;
  readonly #residents: Residents;
  readonly #options: StepOptions;
  readonly #seed: number;
  readonly #buffers: Record<string, GPUBuffer> = {};
  readonly #best: GPUBuffer;
  #step: Executable | null = null;
  #evaluation: Executable | null = null;
  #taken = 0;

  /** Uploads everything. The caller disposes of it, and holds the arrays no longer. */
  constructor(flow: GpuFlow, data: DataSet, validation: DataSet | null, options: StepOptions, seed: number) {
    const { gpu } = flow.parts;
    this.#gpu = gpu;
    this.#flow = flow;
    this.#options = options;
    this.#seed = seed;
    this.layout = layoutOf(flow);
    this.#residents = gpu.residents('training');
    const { count } = this.layout;
    this.#upload('parameters', flatParameters(flow, this.layout));
    this.#upload('xs', data.x);
    if (data.context) this.#upload('contexts', data.context);
    if (validation) this.#upload('x', validation.x);
    if (validation?.context) this.#upload('context', validation.context);
    for (const name of ['gradient', 'moment1', 'moment2']) this.#upload(name, new Float32Array(count));
    this.#upload('control', new Float32Array(CONTROL));
    this.#upload('losses', new Float32Array(options.steps));
    this.#upload('loss', new Float32Array(4));
    this.#best = this.#create('best parameters', count);
  }

  async compile(): Promise<void> {
    const step = recordStep(this.#flow, this.layout, this.#options);
    this.#step = await this.#gpu.compile(step, this.#residents);
    if (this.#options.batch > this.#step.rowsPerChunk)
      throw new StateError(
        `fit: batch needs at most ${this.#step.rowsPerChunk} rows, which fit the device at once; got ${this.#options.batch}`,
      );
    if (this.#buffers.x) this.#evaluation = await this.#gpu.compile(recordEvaluation(this.#flow, this.layout), this.#residents);
  }

  /** Submits `count` steps. */
  take(count: number): void {
    const { batch, count: rows } = this.#options;
    const encoder = this.#gpu.device.createCommandEncoder({ label: 'training steps' });
    const from = this.#taken;
    const [executable, seed, externals] = [this.#step!, this.#seed, this.#buffers];
    executable.encodeAll(
      encoder,
      (function* () {
        for (let step = from; step < from + count; step++) {
          const place = step * batch;
          yield { rows: batch, seed, externals, sequence: { step: place % rows, steps: Math.floor(place / rows), period: 0 } };
        }
      })(),
    );
    this.#gpu.device.queue.submit([encoder.finish()]);
    this.#taken += count;
  }

  /** Waits for what was submitted. */
  async standing(): Promise<Standing> {
    const state = await this.#read('control', CONTROL);
    return {
      step: state[CONTROL_AT.step]!,
      learningRate: state[CONTROL_AT.rate]!,
      gradientNorm: state[CONTROL_AT.norm]!,
      failed: state[CONTROL_AT.failed]! === 0 ? null : state[CONTROL_AT.failed]!,
    };
  }

  /** Mean −log p of the minibatch of each step from `from` up to `to`. */
  losses(from: number, to: number): Promise<Float32Array> {
    return this.#readBuffer(this.#buffers.losses!, to - from, from);
  }

  /** Mean −log p of the held-out rows. */
  async validationLoss(rows: number): Promise<number> {
    const { device } = this.#gpu;
    device.queue.writeBuffer(this.#buffers.loss!, 0, new Float32Array(4));
    const encoder = device.createCommandEncoder({ label: 'validation' });
    this.#evaluation!.encode(encoder, { rows, externals: this.#buffers });
    device.queue.submit([encoder.finish()]);
    return (await this.#read('loss', 1))[0]! / rows;
  }

  /** Keeps the parameters as they are now, for `parameters`. */
  keep(): void {
    this.#copy(this.#buffers.parameters!, this.#best);
  }

  /** The kept parameters, or those of now, by name. */
  async parameters(kept: boolean): Promise<Map<string, Float32Array>> {
    const flat = await this.#readBuffer(kept ? this.#best : this.#buffers.parameters!, this.layout.count);
    return new Map(this.layout.tensors.map(({ name, from, length }) => [name, flat.slice(from, from + length)]));
  }

  dispose(): void {
    this.#residents.dispose();
    for (const buffer of [...Object.values(this.#buffers), this.#best]) this.#gpu.memory.destroy(buffer);
  }

  #create(label: string, count: number): GPUBuffer {
    const size = Math.max(16, Math.ceil(count / 4) * 16);
    return this.#gpu.memory.create({ label, size, usage: STORAGE | COPY_SRC | COPY_DST });
  }

  #upload(name: string, data: Float32Array): void {
    const buffer = this.#create(name, data.length);
    this.#buffers[name] = buffer;
    this.#gpu.device.queue.writeBuffer(buffer, 0, data as Float32Array<ArrayBuffer>);
  }

  #copy(from: GPUBuffer, to: GPUBuffer): void {
    const encoder = this.#gpu.device.createCommandEncoder({ label: 'copy' });
    encoder.copyBufferToBuffer(from, 0, to, 0, from.size);
    this.#gpu.device.queue.submit([encoder.finish()]);
  }

  #read(name: string, count: number): Promise<Float32Array> {
    return this.#readBuffer(this.#buffers[name]!, count);
  }

  #readBuffer(buffer: GPUBuffer, count: number, from = 0): Promise<Float32Array> {
    const encoder = this.#gpu.device.createCommandEncoder({ label: 'read' });
    const ticket = this.#gpu.readback.copy(encoder, buffer, count, from);
    this.#gpu.device.queue.submit([encoder.finish()]);
    return ticket.read();
  }
}
