// Adaptive solves as a host loop: programs of one trial step each, submitted one by one, and step sizes from the errors that are read
// back. All rows of a batch, in whatever chunks, take the same steps, so a row's result does not depend on the split.

import { StateError } from '../../runtime/errors.js';
import type { Executable } from '../../runtime/executable.js';
import type { Program } from '../../runtime/program.js';
import { Recorder } from '../../runtime/recorder.js';
import { type ArrayCall, ArrayRun, chunksOf, inputOf, type Rows } from '../../runtime/run-arrays.js';
import type { Bijector } from '../bijector.js';
import { Chain } from '../bijectors/chain.js';
import { ContinuousFlow } from '../bijectors/continuous.js';
import type { HostedFlow, Hosting } from '../hosted.js';
import { isDensityTask, recordContext, recordEnd, recordInput, recordLogDet, recordOutput, recordStart, type Task } from '../task.js';
import { recordFirst, recordTrial, stepTable } from './adaptive-programs.js';
import { batchNorm, StepControl } from './step-control.js';
import { recordSplit, recordState } from './steps.js';

interface AdaptiveLayer {
  readonly layer: ContinuousFlow;
  readonly first: Executable;
  readonly trial: Executable;
}

/** Layers that are recorded together, and the adaptive one after them; none after the last. */
interface Leg {
  readonly recorded: Executable | null;
  readonly adaptive: AdaptiveLayer | null;
}

interface Chunk extends Rows {
  /** By external. `state` and `slope` change places with `stateNext` and `slopeNext` when a step is taken. */
  readonly buffers: Record<string, GPUBuffer>;
}

/** Features of the state. */
const widthOf = (task: Task, { base }: HostedFlow): number => base.dim + (task === 'sample' ? 0 : 1);

/** Layers between two adaptive ones, with the task's beginning or end where there is none before or after. */
function recordLeg(flow: HostedFlow, task: Task, layers: readonly Bijector[], isFirst: boolean, isLast: boolean): Program {
  const { base } = flow;
  const r = new Recorder('flow');
  const context = recordContext(r, flow.contextDim);
  // A draw depends on its seed and row alone, so the end draws it again instead of keeping it.
  const start = isFirst || task === 'sampleWithLogProb' ? recordStart(r, task, base, context) : null;
  const logDet = recordLogDet(r, task);
  let value = isFirst ? start! : recordSplit(r, recordInput(r, 'state', widthOf(task, flow)), base.dim, logDet);
  const direction = isDensityTask(task) ? 'forward' : 'inverse';
  for (const layer of layers) value = r.scope(layer.name, () => layer[direction](r, value, { logDet, context }));
  if (isLast) recordEnd(r, task, base, { start: start ?? value, moved: value, logDet, context });
  else recordOutput(r, 'state', recordState(r, value, logDet));
  return r.finish();
}

function compileLegs(flow: HostedFlow, task: Task): Promise<Leg[]> {
  const { bijector, residents, contextDim } = flow;
  const layers = bijector instanceof Chain ? bijector.layers : [bijector];
  const width = widthOf(task, flow);
  const legs: Promise<Leg>[] = [];
  let between: Bijector[] = [];
  const end = async (layer: ContinuousFlow | null): Promise<Leg> => {
    const index = legs.length;
    const recorded = between;
    between = [];
    const name = `cnf[${layers.indexOf(layer!)}] of ${width}`;
    const [leg, first, trial] = await Promise.all([
      index > 0 && layer && recorded.length === 0
        ? null
        : residents.get(`${task}[${index}]`, () => recordLeg(flow, task, recorded, index === 0, layer === null)),
      layer && residents.get(`first ${name}`, () => recordFirst(layer.field, width, contextDim)),
      layer && residents.get(`trial ${name}`, () => recordTrial(layer.field, width, contextDim, layer.adaptive!)),
    ]);
    return { recorded: leg, adaptive: layer && { layer, first: first!, trial: trial! } };
  };
  for (const layer of isDensityTask(task) ? layers : layers.toReversed())
    if (layer instanceof ContinuousFlow && layer.adaptive) legs.push(end(layer));
    else between.push(layer);
  legs.push(end(null));
  return Promise.all(legs);
}

/** One call: its chunks stay on the device from the first leg to the last. */
class AdaptiveRun {
  readonly #flow: HostedFlow;
  readonly #task: Task;
  readonly #call: ArrayCall;
  readonly #run: ArrayRun;
  readonly #chunks: readonly Chunk[];

  constructor(flow: HostedFlow, task: Task, call: ArrayCall, run: ArrayRun, rowsPerChunk: number) {
    this.#flow = flow;
    this.#task = task;
    this.#call = call;
    this.#run = run;
    const width = widthOf(task, flow);
    const widths: Record<string, number> = { state: width, stateNext: width, slope: width, slopeNext: width, error: 1 };
    for (const [name, data] of Object.entries({ ...call.inputs, ...call.outputs })) widths[name] = data.length / call.rows;
    if (flow.contextDim > 0) widths.context = flow.contextDim;
    this.#chunks = [...chunksOf(call.rows, rowsPerChunk)].map((chunk) => ({
      ...chunk,
      buffers: run.acquireAll(widths, chunk.rows, `${chunk.start} `),
    }));
  }

  /** Inputs and context of all chunks. */
  upload(): Promise<void> {
    const { base, contextDim } = this.#flow;
    return this.#wait(() => {
      for (const chunk of this.#chunks)
        for (const name of Object.keys(this.#call.inputs)) {
          const part = inputOf(this.#call, name, chunk, name === 'context' ? contextDim : base.dim);
          this.#run.upload(`${chunk.start} ${name}`, part);
        }
    });
  }

  runRecorded(executable: Executable, isLast: boolean): Promise<void> {
    const { outputs, rows: all } = this.#call;
    return this.#encode(executable, null, (encoder, { start, rows, buffers }) => {
      for (const [name, into] of Object.entries(isLast ? outputs : {})) {
        const width = into.length / all;
        this.#run.read(encoder, buffers[name]!, rows * width, into, start * width);
      }
    });
  }

  async integrate({ layer, first, trial }: AdaptiveLayer): Promise<void> {
    const { maxSteps } = layer.adaptive!;
    const [start, end] = layer.times(isDensityTask(this.#task));
    const control = new StepControl(start, end);
    const errors = new Float32Array(this.#call.rows);
    await this.#encode(first, stepTable(layer.field, start, 0));
    for (let step = 0; !control.done; step++) {
      if (step === maxSteps)
        throw new StateError(
          `${this.#task}: the adaptive solve gave up after ${maxSteps} steps at t = ${control.t} on its way from ${start} to ${end}, with h = ${control.h}; raise rtol and atol (float32 rounds at about 1e-7), or maxSteps`,
        );
      await this.#encode(trial, stepTable(layer.field, control.t, control.h), (encoder, { start: at, rows, buffers }) =>
        this.#run.read(encoder, buffers.error!, rows, errors, at),
      );
      if (!control.judge(batchNorm(errors))) continue;
      for (const { buffers } of this.#chunks) {
        [buffers.state, buffers.stateNext] = [buffers.stateNext!, buffers.state!];
        [buffers.slope, buffers.slopeNext] = [buffers.slopeNext!, buffers.slope!];
      }
    }
  }

  /** A program on all chunks, in one submission. */
  #encode(
    executable: Executable,
    table: Float32Array | null,
    afterwards: (encoder: GPUCommandEncoder, chunk: Chunk) => void = () => {},
  ): Promise<void> {
    const { seed, contextStride } = this.#call;
    return this.#wait(() => {
      const shared = table && { table: this.#run.upload('table', table) };
      this.#run.encode((encoder) => {
        for (const chunk of this.#chunks) {
          const { start, rows, buffers } = chunk;
          executable.encode(encoder, { rows, firstRow: start, seed, contextStride, externals: { ...buffers, ...shared } });
          afterwards(encoder, chunk);
        }
      });
    });
  }

  async #wait(body: () => void): Promise<void> {
    this.#flow.residents.assertAlive();
    await this.#run.wait(body);
  }
}

export const runAdaptively: Hosting = async (flow, task, call) => {
  const legs = await compileLegs(flow, task);
  const executables = legs.flatMap(({ recorded, adaptive }) => [recorded ?? [], adaptive ? [adaptive.first, adaptive.trial] : []].flat());
  const run = new ArrayRun(flow.residents.gpu, task, executables);
  try {
    const solve = new AdaptiveRun(flow, task, call, run, Math.min(...executables.map(({ rowsPerChunk }) => rowsPerChunk)));
    await solve.upload();
    for (const { recorded, adaptive } of legs) {
      if (recorded) await solve.runRecorded(recorded, adaptive === null);
      if (adaptive) await solve.integrate(adaptive);
    }
  } finally {
    run.release();
  }
};
