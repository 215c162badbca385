// A flow in float64: its recorded programs run through the twins.

import type { GpuFlow } from '../../src/flows/flow.js';
import type { Program } from '../../src/runtime/program.js';
import { type ProgramCall, runProgram } from '../reference/run.js';

type Task = Parameters<GpuFlow['record']>[0];
type Rows = ArrayLike<number>;

export class ReferenceFlow {
  readonly dim: number;
  readonly contextDim: number;
  readonly #programs = new Map<Task, Program>();
  readonly #flow: GpuFlow;
  readonly #storage: 'float32' | 'float64';

  /** @param storage what activations are kept in between two kernels, and between two units of a sequential solve. */
  constructor(flow: GpuFlow, storage: 'float32' | 'float64' = 'float64') {
    this.#flow = flow;
    this.#storage = storage;
    this.dim = flow.dim;
    this.contextDim = flow.contextDim;
  }

  forward(x: Rows, context?: Rows): { z: Float64Array; logDet: Float64Array } {
    const { z, logDet } = this.#run('forward', x.length / this.dim, { x }, context);
    return { z: z!, logDet: logDet! };
  }

  inverse(z: Rows, context?: Rows): { x: Float64Array; logDet: Float64Array } {
    const { x, logDet } = this.#run('inverse', z.length / this.dim, { z }, context);
    return { x: x!, logDet: logDet! };
  }

  logProb(x: Rows, context?: Rows): Float64Array {
    return this.#run('logProb', x.length / this.dim, { x }, context).logProb!;
  }

  sampleWithLogProb(rows: number, seed: number, context?: Rows): { x: Float64Array; logProb: Float64Array } {
    const { x, logProb } = this.#run('sampleWithLogProb', rows, {}, context, { seed });
    return { x: x!, logProb: logProb! };
  }

  #run(
    task: Task,
    rows: number,
    externals: Readonly<Record<string, Rows>>,
    context: Rows | undefined,
    values: Partial<ProgramCall> = {},
  ): Record<string, Float64Array> {
    let program = this.#programs.get(task);
    if (!program) {
      program = this.#flow.record(task);
      this.#programs.set(task, program);
    }
    const given = Object.entries(context ? { ...externals, context } : externals);
    return runProgram(program, {
      ...values,
      rows,
      storage: this.#storage,
      contextStride: context && context.length === this.contextDim ? 0 : 1,
      externals: Object.fromEntries(given.map(([name, numbers]) => [name, Float64Array.from(numbers)])),
    });
  }
}
