// Flows whose number of commands depends on the data: a host loop runs whole tasks on arrays, in place of one program. Types only, so
// that a flow without such a layer carries none of it.

import type { Residents } from '../runtime/residents.js';
import type { ArrayCall } from '../runtime/run-arrays.js';
import type { Base } from './bases/base.js';
import type { Bijector } from './bijector.js';
import type { Task } from './task.js';

export interface HostedFlow {
  readonly residents: Residents;
  readonly bijector: Bijector;
  readonly base: Base;
  readonly contextDim: number;
}

/** Runs a task on arrays, as runOnArrays does a program; `inputs` do not change meanwhile. */
export type Hosting = (flow: HostedFlow, task: Task, call: ArrayCall) => Promise<void>;
