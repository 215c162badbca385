// Flows whose number of commands depends on the data: a host loop runs whole tasks on arrays, in place of one program. Types only, so
// that a flow without such a layer carries none of it.

import type { Gpu } from '../runtime/gpu.js';
import type { Residents } from '../runtime/memory.js';
import type { ArrayCall } from '../runtime/run-arrays.js';
import type { Base } from './bases/base.js';
import type { Bijector } from './bijector.js';
import type { Task } from './task.js';

export interface HostedFlow {
  readonly gpu: Gpu;
  readonly residents: Residents;
  readonly bijector: Bijector;
  readonly base: Base;
  readonly contextDim: number;
}

export interface Host {
  /** Runs a task on arrays, as runOnArrays does a program; `inputs` do not change meanwhile. */
  run(task: Task, call: ArrayCall): Promise<void>;
  dispose(): void;
}

export type Hosting = (flow: HostedFlow) => Host;
