// Adaptive solves as a host loop: programs of one trial step each, submitted one by one, and step sizes from the errors that are read
// back. All rows of a batch, in whatever chunks, take the same steps, so a row's result does not depend on the split.

import { watched } from '../../runtime/error-scope.js';
import { DisposedError, StateError } from '../../runtime/errors.js';
import type { Executable } from '../../runtime/executable.js';
import type { Program } from '../../runtime/program.js';
import type { ReadTicket } from '../../runtime/readback.js';
import { Recorder } from '../../runtime/recorder.js';
import type { ArrayCall } from '../../runtime/run-arrays.js';
import type { Bijector } from '../bijector.js';
import { Chain } from '../bijectors/chain.js';
import type { ContinuousFlow } from '../bijectors/continuous.js';
import type { Host, HostedFlow, Hosting } from '../hosted.js';
import { INPUTS, isDensityTask, recordEnd, recordInput, recordLogDet, recordOutput, recordStart, type Task } from '../task.js';
import { recordFirst, recordTrial, stepTable } from './adaptive-programs.js';
import { batchNorm, StepControl } from './step-control.js';
import { recordJoin, recordSplit } from './steps.js';

/** Layers that are recorded together, and the adaptive one after them; none after the last. */
interface Leg<Recorded, Adaptive> {
  readonly recorded: Recorded;
  readonly adaptive: Adaptive | null;
}

interface CompiledLayer {
  readonly layer: ContinuousFlow;
  readonly first: Executable;
  readonly trial: Executable;
}

type CompiledLeg = Leg<Executable | null, CompiledLayer>;

interface Chunk {
  readonly start: number;
  readonly rows: number;
  /** By external. `state` and `slope` change places with `stateNext` and `slopeNext` when a step is taken. */
  readonly buffers: Record<string, GPUBuffer>;
}

/** One call: its chunks, and every buffer that it has borrowed. */
interface Run {
  readonly task: Task;
  readonly call: ArrayCall;
  readonly chunks: readonly Chunk[];
  readonly used: ReadonlySet<GPUBuffer>;
  readonly legs: readonly CompiledLeg[];
}

const executablesOf = (legs: readonly CompiledLeg[]): Executable[] =>
  legs.flatMap(({ recorded, adaptive }) => [...(recorded ? [recorded] : []), ...(adaptive ? [adaptive.first, adaptive.trial] : [])]);

class AdaptiveHost implements Host {
  readonly #flow: HostedFlow;
  readonly #executables = new Map<string, Promise<Executable>>();
  readonly #compiled = new Set<Executable>();
  #disposed = false;

  constructor(flow: HostedFlow) {
    this.#flow = flow;
  }

  async run(task: Task, call: ArrayCall): Promise<void> {
    const { gpu } = this.#flow;
    const legs = await this.#compile(task);
    const used = new Set<GPUBuffer>();
    try {
      const run = { task, call, legs, used, chunks: this.#chunks(task, call, legs, used) };
      await this.#upload(run);
      for (const { recorded, adaptive } of legs) {
        if (recorded) await this.#runRecorded(run, recorded, adaptive === null);
        if (adaptive) await this.#integrate(run, adaptive);
      }
    } finally {
      for (const buffer of used) gpu.memory.release(buffer);
    }
  }

  dispose(): void {
    this.#disposed = true;
    for (const executable of this.#compiled) executable.dispose();
  }

  /** Features of the state. */
  #width(task: Task): number {
    return this.#flow.base.dim + (task === 'sample' ? 0 : 1);
  }

  #layers(): readonly Bijector[] {
    const { bijector } = this.#flow;
    return bijector instanceof Chain ? bijector.layers : [bijector];
  }

  #legs(task: Task): Leg<readonly Bijector[], ContinuousFlow>[] {
    const layers = isDensityTask(task) ? this.#layers() : this.#layers().toReversed();
    const legs: Leg<readonly Bijector[], ContinuousFlow>[] = [];
    let recorded: Bijector[] = [];
    for (const layer of layers) {
      if (layer.hosted === runAdaptively) {
        legs.push({ recorded, adaptive: layer as ContinuousFlow });
        recorded = [];
      } else recorded.push(layer);
    }
    return [...legs, { recorded, adaptive: null }];
  }

  #compile(task: Task): Promise<CompiledLeg[]> {
    const { contextDim } = this.#flow;
    const width = this.#width(task);
    return Promise.all(
      this.#legs(task).map(async ({ recorded, adaptive: layer }, index): Promise<CompiledLeg> => {
        const nothing = index > 0 && layer !== null && recorded.length === 0;
        const leg = nothing
          ? null
          : this.#executable(`${task}[${index}]`, () => this.#recordLeg(task, recorded, index === 0, layer === null));
        if (layer === null) return { recorded: await leg, adaptive: null };
        const name = `cnf[${this.#layers().indexOf(layer)}] of ${width}`;
        const first = this.#executable(`first ${name}`, () => recordFirst(layer.field, width, contextDim));
        const trial = this.#executable(`trial ${name}`, () => recordTrial(layer.field, width, contextDim, layer.adaptive!));
        return { recorded: await leg, adaptive: { layer, first: await first, trial: await trial } };
      }),
    );
  }

  /** Layers between two adaptive ones, with the task's beginning or end where there is none before or after. */
  #recordLeg(task: Task, layers: readonly Bijector[], isFirst: boolean, isLast: boolean): Program {
    const { base, contextDim } = this.#flow;
    const r = new Recorder('flow');
    const context = contextDim > 0 ? recordInput(r, 'context', contextDim, 1) : null;
    // A draw depends on its seed and row alone, so the end draws it again instead of keeping it.
    const start = isFirst || task === 'sampleWithLogProb' ? recordStart(r, task, base, context) : null;
    const logDet = recordLogDet(r, task);
    let value = isFirst ? start! : recordSplit(r, recordInput(r, 'state', this.#width(task)), base.dim, logDet);
    const direction = isDensityTask(task) ? 'forward' : 'inverse';
    for (const layer of layers) value = r.scope(layer.name, () => layer[direction](r, value, { logDet, context }));
    if (isLast) recordEnd(r, task, base, { start: start ?? value, moved: value, logDet, context });
    else recordOutput(r, 'state', recordJoin(r, value, logDet));
    return r.finish();
  }

  #executable(key: string, record: () => Program): Promise<Executable> {
    let compiling = this.#executables.get(key);
    if (!compiling) {
      const { gpu, residents } = this.#flow;
      compiling = gpu.compile(record(), residents).then((executable) => {
        if (this.#disposed) {
          executable.dispose();
          throw new DisposedError('this flow was disposed while it compiled');
        }
        this.#compiled.add(executable);
        return executable;
      });
      this.#executables.set(key, compiling);
      compiling.catch(() => this.#executables.delete(key));
    }
    return compiling;
  }

  #chunks(task: Task, call: ArrayCall, legs: readonly CompiledLeg[], used: Set<GPUBuffer>): Chunk[] {
    const { gpu, contextDim } = this.#flow;
    const width = this.#width(task);
    const most = Math.min(...executablesOf(legs).map(({ rowsPerChunk }) => rowsPerChunk));
    const widths: Record<string, number> = { state: width, stateNext: width, slope: width, slopeNext: width, error: 1 };
    for (const [name, data] of Object.entries({ ...call.inputs, ...call.outputs })) widths[name] = data.length / call.rows;
    if (contextDim > 0) widths.context = contextDim;
    const chunks: Chunk[] = [];
    for (let start = 0; start < call.rows; start += most) {
      const rows = Math.min(most, call.rows - start);
      const buffers: Record<string, GPUBuffer> = {};
      for (const [name, features] of Object.entries(widths)) {
        const buffer = gpu.memory.acquire(rows * features * 4);
        used.add(buffer);
        buffers[name] = buffer;
      }
      chunks.push({ start, rows, buffers });
    }
    return chunks;
  }

  /** Inputs and context of all chunks. */
  async #upload(run: Run): Promise<void> {
    const { call, task } = run;
    await this.#submit(run, () => {
      for (const { start, rows, buffers } of run.chunks)
        for (const [name, data] of Object.entries(call.inputs)) {
          const width = name === INPUTS[task] ? this.#flow.base.dim : this.#flow.contextDim;
          const shared = name === 'context' && call.contextStride === 0;
          const part = shared ? data : data.subarray(start * width, (start + rows) * width);
          this.#flow.gpu.device.queue.writeBuffer(buffers[name]!, 0, part as Float32Array<ArrayBuffer>);
        }
      return [];
    });
  }

  #encode(encoder: GPUCommandEncoder, executable: Executable, { call }: Run, { start, rows, buffers }: Chunk, table?: GPUBuffer): void {
    const { seed, contextStride } = call;
    executable.encode(encoder, { rows, firstRow: start, seed, contextStride, externals: table ? { ...buffers, table } : buffers });
  }

  async #runRecorded(run: Run, executable: Executable, isLast: boolean): Promise<void> {
    const { readback } = this.#flow.gpu;
    const outputs = isLast ? Object.entries(run.call.outputs) : [];
    const results = await this.#submit(run, (encoder) => {
      for (const chunk of run.chunks) this.#encode(encoder, executable, run, chunk);
      return run.chunks.flatMap(({ rows, buffers }) =>
        outputs.map(([name, into]) => readback.copy(encoder, buffers[name]!, (rows * into.length) / run.call.rows)),
      );
    });
    let at = 0;
    for (const { start } of run.chunks) for (const [, into] of outputs) into.set(results[at++]!, (start * into.length) / run.call.rows);
  }

  async #integrate(run: Run, { layer, first, trial }: CompiledLayer): Promise<void> {
    const { gpu } = this.#flow;
    const { maxSteps } = layer.adaptive!;
    const [start, end] = layer.times(isDensityTask(run.task));
    const control = new StepControl(start, end);
    const length = stepTable(layer.field, start, 0).byteLength;
    const table = gpu.memory.acquire(length);
    const write = (h: number) => gpu.device.queue.writeBuffer(table, 0, stepTable(layer.field, control.t, h));
    try {
      await this.#submit(run, (encoder) => {
        write(0);
        for (const chunk of run.chunks) this.#encode(encoder, first, run, chunk, table);
        return [];
      });
      for (let step = 0; !control.done; step++) {
        if (step === maxSteps)
          throw new StateError(
            `${run.task}: the adaptive solve gave up after ${maxSteps} steps at t = ${control.t} on its way from ${start} to ${end}, with h = ${control.h}; raise rtol and atol (float32 rounds at about 1e-7), or maxSteps`,
          );
        const errors = await this.#submit(run, (encoder) => {
          write(control.h);
          return run.chunks.map((chunk) => {
            this.#encode(encoder, trial, run, chunk, table);
            return gpu.readback.copy(encoder, chunk.buffers.error!, chunk.rows);
          });
        });
        if (!control.judge(batchNorm(errors))) continue;
        for (const { buffers } of run.chunks) {
          [buffers.state, buffers.stateNext] = [buffers.stateNext!, buffers.state!];
          [buffers.slope, buffers.slopeNext] = [buffers.slopeNext!, buffers.slope!];
        }
      }
    } finally {
      gpu.memory.release(table);
    }
  }

  /** One submission, and what is read of it. @throws StateError where the device has no memory for it. */
  async #submit(run: Run, record: (encoder: GPUCommandEncoder) => ReadTicket[]): Promise<Float32Array[]> {
    const { gpu } = this.#flow;
    gpu.assertAlive();
    if (this.#disposed) throw new DisposedError('this flow was disposed while it ran');
    let tickets: ReadTicket[] = [];
    const failure = watched(gpu.device, () => {
      const encoder = gpu.device.createCommandEncoder({ label: run.task });
      tickets = record(encoder);
      gpu.device.queue.submit([encoder.finish()]);
    });
    const [failed, results] = await Promise.all([failure, Promise.allSettled(tickets.map((ticket) => ticket.read()))]);
    if (failed !== null) {
      // Some buffer is not what it seems, and nobody says which: the next call starts with new ones.
      for (const buffer of run.used) gpu.memory.destroy(buffer);
      for (const executable of executablesOf(run.legs)) executable.dropScratch();
      throw new StateError(`${run.task}: the device ${failed}`);
    }
    return results.map((result) => {
      if (result.status === 'rejected') throw result.reason;
      return result.value;
    });
  }
}

export const runAdaptively: Hosting = (flow) => new AdaptiveHost(flow);
