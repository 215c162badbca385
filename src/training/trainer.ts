// A training run on the device: the data set, the parameters and the optimiser's state in buffers, many steps a submission.

import { derivedSeed } from '../flows/seeds.js';
import { recordOutput } from '../flows/task.js';
import { CONTROL, CONTROL_AT } from '../kernels/optimiser.js';
import { ValueError } from '../runtime/errors.js';
import type { Executable } from '../runtime/executable.js';
import type { Gpu } from '../runtime/gpu.js';
import type { Program } from '../runtime/program.js';
import { Recorder } from '../runtime/recorder.js';
import type { Residents } from '../runtime/residents.js';
import { COPY_DST, COPY_SRC, STORAGE } from '../runtime/usage.js';
import type { Model } from './model.js';
import type { Objective } from './objective.js';
import { flattened, ordered, type ParameterOrder } from './order.js';
import { marked, type Recompute, recordRoundTrips } from './recompute.js';
import { flatStatistics, namedStatistics, type StatisticsLayout, statisticsOf } from './statistics.js';
import { momentsOf, recordEvaluation, recordStep, type StepOptions } from './step.js';
import { flatParameters, layoutOf, type ParameterLayout } from './trainable.js';

/** Where a run stands, as read from the device. */
export interface Standing {
  /** Steps that changed the parameters. */
  readonly step: number;
  readonly learningRate: number;
  readonly gradientNorm: number;
  /** The step whose loss or gradient was not finite; null while all were. Later steps changed nothing. */
  readonly failed: number | null;
}

/** A buffer that steps change. */
interface Changing {
  readonly name: string;
  readonly length: number;
  /** What lies between the parameters; null where its numbers are not one for each of them. */
  readonly beside: 'initial' | 'zeros' | null;
}

/** Rows whose way through the layers and back is looked at before the first step, and the largest error of theirs beside 1 + |x|. */
const ROUND_TRIPS = 256;
const LOST = 0.01;

export class Trainer<L> {
  readonly layout: ParameterLayout;
  readonly #gpu: Gpu;
  readonly #model: Model<L>;
  readonly #residents: Residents;
  readonly #options: StepOptions;
  readonly #objective: Objective<L>;
  readonly #statistics: StatisticsLayout;
  /** With the data and the options they are all of a run. */
  readonly #changing: readonly Changing[];
  readonly #program: Program;
  readonly #order: ParameterOrder;
  /** Flat, as they were at the start: those that no kernel reads stay so. */
  readonly #start: Float32Array;
  readonly #buffers: Record<string, GPUBuffer> = {};
  #step: Executable | null = null;
  #evaluation: Executable | null = null;
  #taken: number;

  /**
   * Uploads everything. The caller disposes of it, and holds the arrays no longer.
   * @param taken steps of an earlier run that left `state`.
   */
  constructor(
    model: Model<L>,
    options: StepOptions,
    objective: Objective<L>,
    taken = 0,
    state: ReadonlyMap<string, Float32Array> = new Map(),
  ) {
    const { gpu } = model;
    this.#gpu = gpu;
    this.#model = model;
    this.#options = options;
    this.#objective = objective;
    this.#taken = taken;
    this.layout = layoutOf(model);
    ({ program: this.#program, order: this.#order } = recordStep(model, this.layout, options, objective));
    this.#residents = gpu.residents('training');
    const { count } = this.layout;
    const parameters = state.get('parameters') ?? flatParameters(model, this.layout);
    this.#start = parameters;
    this.#statistics = statisticsOf(model);
    const statistics = flatStatistics(model, this.#statistics);
    const keeps = objective.heldOut !== null;
    const upload = (beside: Changing['beside'], starts: Readonly<Record<string, Float32Array>>): Changing[] =>
      Object.entries(starts).map(([name, start]) => {
        const given = state.get(name) ?? start;
        const data = beside ? ordered(this.#order, given, beside) : given;
        this.#upload(name, data);
        return { name, length: data.length, beside };
      });
    this.#changing = [
      ...upload('initial', { parameters, ...(options.average > 0 && { average: parameters }), ...(keeps && { best: parameters }) }),
      ...upload('zeros', Object.fromEntries(momentsOf(options).map((name) => [name, new Float32Array(count)]))),
      ...upload(null, { control: new Float32Array(CONTROL), losses: new Float32Array(options.steps) }),
      ...upload(null, options.batchStatistics ? { statistics, ...(keeps && { 'best statistics': statistics }) } : {}),
    ];
    for (const [name, data] of Object.entries(objective.data)) this.#upload(name, data);
    this.#upload('loss', new Float32Array(4));
  }

  async compile(): Promise<void> {
    if (this.#options.recompute !== false && this.#taken === 0) await this.#checkRoundTrips(this.#options.recompute);
    this.#step = await this.#gpu.compile(this.#program, this.#residents);
    if (this.#objective.heldOut)
      this.#evaluation = await this.#gpu.compile(
        recordEvaluation(this.#model, this.layout, this.#options, this.#objective, this.#order),
        this.#residents,
      );
  }

  /** Submits `count` steps. Step t begins at row t · batch of those that steps take one after another, `period` of them in a round. */
  take(count: number): void {
    const { batch, seed, rowsAtOnce } = this.#options;
    const { period } = this.#objective;
    const encoder = this.#gpu.device.createCommandEncoder({ label: 'training steps' });
    const from = this.#taken;
    const [executable, externals] = [this.#step!, this.#buffers];
    executable.encodeAll(
      encoder,
      (function* () {
        for (let step = from; step < from + count; step++) {
          const place = step * batch;
          const call = { rows: batch, rowsAtOnce, seed: derivedSeed(seed, step), externals };
          yield period === null ? call : { ...call, sequence: { step: place % period, steps: Math.floor(place / period), period: 0 } };
        }
      })(),
    );
    this.#gpu.device.queue.submit([encoder.finish()]);
    this.#taken += count;
  }

  /** Waits for what was submitted. */
  async standing(): Promise<Standing> {
    const state = await this.#readBuffer(this.#buffers.control!, CONTROL);
    return {
      step: state[CONTROL_AT.step]!,
      learningRate: state[CONTROL_AT.rate]!,
      gradientNorm: state[CONTROL_AT.norm]!,
      failed: state[CONTROL_AT.failed]! === 0 ? null : state[CONTROL_AT.failed]!,
    };
  }

  /** The loss of each step from `from` up to `to`. */
  async losses(from: number, to: number): Promise<Float32Array> {
    const losses = await this.#readBuffer(this.#buffers.losses!, to - from, from);
    return losses.map((loss) => loss + this.#objective.shift);
  }

  /** The loss of the held-out rows, at the parameters that the flow would take now. */
  async validationLoss(): Promise<number> {
    const { device } = this.#gpu;
    const { rowsAtOnce, seed } = this.#options;
    const { rows } = this.#objective.heldOut!;
    device.queue.writeBuffer(this.#buffers.loss!, 0, new Float32Array(4));
    const encoder = device.createCommandEncoder({ label: 'validation' });
    const externals = { ...this.#buffers, parameters: this.#current };
    this.#evaluation!.encode(encoder, { rows, rowsAtOnce, seed, externals });
    device.queue.submit([encoder.finish()]);
    return (await this.#readBuffer(this.#buffers.loss!, 1))[0]! / rows + this.#objective.shift;
  }

  /** Keeps the parameters as they are now, for `parameters`. */
  keep(): void {
    const encoder = this.#gpu.device.createCommandEncoder({ label: 'keep' });
    const { best, statistics, 'best statistics': bestStatistics } = this.#buffers;
    encoder.copyBufferToBuffer(this.#current, 0, best!, 0, best!.size);
    if (statistics) encoder.copyBufferToBuffer(statistics, 0, bestStatistics!, 0, statistics.size);
    this.#gpu.device.queue.submit([encoder.finish()]);
  }

  /** The kept parameters, or those of now, by name, and the running statistics of batch norms. */
  async parameters(kept: boolean): Promise<Map<string, Float32Array>> {
    const { best, statistics, 'best statistics': bestStatistics } = this.#buffers;
    const [held, measured] = await Promise.all([
      this.#readBuffer(kept ? best! : this.#current, this.#order.length),
      statistics ? this.#readBuffer(kept ? bestStatistics! : statistics, this.#statistics.length) : null,
    ]);
    const flat = flattened(this.#order, held, this.#start);
    return new Map([
      ...this.layout.tensors.map(({ name, from, length }): [string, Float32Array] => [name, flat.slice(from, from + length)]),
      ...(measured ? namedStatistics(measured, this.#statistics) : []),
    ]);
  }

  /** What steps have changed, as it is after those submitted so far, by name. */
  async state(): Promise<Map<string, Float32Array>> {
    // All copies are submitted before the first is awaited.
    const arrays = this.#changing.map(async ({ name, length, beside }) => {
      const held = await this.#readBuffer(this.#buffers[name]!, length);
      return [name, beside ? flattened(this.#order, held, beside === 'initial' ? this.#start : null) : held] as const;
    });
    return new Map(await Promise.all(arrays));
  }

  dispose(): void {
    this.#residents.dispose();
    for (const buffer of Object.values(this.#buffers)) this.#gpu.memory.destroy(buffer);
  }

  /** The parameters that the flow takes: their average, where there is one. */
  get #current(): GPUBuffer {
    return this.#buffers.average ?? this.#buffers.parameters!;
  }

  /** @throws ValueError where inputs of layers are lost on their way through the layers and back. */
  async #checkRoundTrips(recompute: Recompute): Promise<void> {
    const { batch, seed, rowsAtOnce } = this.#options;
    const { name, terms } = this.#objective;
    const r = new Recorder('round trip');
    terms(r, marked(this.#model.layers));
    const ends = recordRoundTrips(r, recompute);
    if (ends.length === 0) return;
    const rows = Math.min(batch, ROUND_TRIPS);
    for (const [index, pair] of ends.entries())
      for (const [side, tensor] of pair.entries()) {
        const key = `end ${index} ${side}`;
        recordOutput(r, key, tensor);
        this.#upload(key, new Float32Array(rows * tensor.features));
      }
    const executable = await this.#gpu.compile(r.finish(), this.#residents);
    const encoder = this.#gpu.device.createCommandEncoder({ label: 'round trip' });
    executable.encode(encoder, { rows, rowsAtOnce, seed, externals: this.#buffers, sequence: { step: 0, steps: 0, period: 0 } });
    this.#gpu.device.queue.submit([encoder.finish()]);
    let worst = 0;
    for (const [index, pair] of ends.entries()) {
      const keys = pair.map((_, side) => `end ${index} ${side}`);
      const [was, is] = await Promise.all(keys.map((key) => this.#readBuffer(this.#buffers[key]!, rows * pair[0].features)));
      for (const key of keys) {
        this.#gpu.memory.destroy(this.#buffers[key]!);
        delete this.#buffers[key];
      }
      for (const [at, value] of was!.entries()) {
        const error = Math.abs(is![at]! - value) / (1 + Math.abs(value));
        if (Number.isFinite(value) && !(error <= worst)) worst = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
      }
    }
    executable.dispose();
    if (worst > LOST)
      throw new ValueError(
        `${name}: recompute`,
        `inverses that give inputs back within ${LOST}, or a number of layers`,
        worst.toPrecision(2),
      );
  }

  #upload(name: string, data: Float32Array): void {
    const size = 4 * Math.max(1, data.length);
    const buffer = this.#gpu.memory.create({ label: name, size, usage: STORAGE | COPY_SRC | COPY_DST });
    this.#buffers[name] = buffer;
    this.#gpu.device.queue.writeBuffer(buffer, 0, data as Float32Array<ArrayBuffer>);
  }

  #readBuffer(buffer: GPUBuffer, count: number, from = 0): Promise<Float32Array> {
    const encoder = this.#gpu.device.createCommandEncoder({ label: 'read' });
    const ticket = this.#gpu.readback.copy(encoder, buffer, count, from);
    this.#gpu.device.queue.submit([encoder.finish()]);
    return ticket.read();
  }
}
