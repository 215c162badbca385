// What every task of a flow begins and ends with: inputs or a draw, and outputs or a density.

import { fill } from '../kernels/fill.js';
import { pack } from '../kernels/pack.js';
import type { Recorder } from '../runtime/recorder.js';
import type { TiledTensor } from '../runtime/tensor.js';
import type { Base } from './bases/base.js';
import type { Bijector } from './bijector.js';

export type Task = 'forward' | 'inverse' | 'logProb' | 'sample' | 'sampleWithLogProb';

/** What each task reads, as the name of an external. */
export const INPUTS: Record<Task, 'x' | 'z' | null> = { forward: 'x', inverse: 'z', logProb: 'x', sample: null, sampleWithLogProb: null };

/** What each task gives. */
export const OUTPUTS = {
  forward: ['z', 'logDet'],
  inverse: ['x', 'logDet'],
  logProb: ['logProb'],
  sample: ['x'],
  sampleWithLogProb: ['x', 'logProb'],
} as const satisfies Record<Task, readonly string[]>;

export type Outputs<T extends Task> = Record<(typeof OUTPUTS)[T][number], Float32Array>;

/** Whether a task runs x → z. */
export const isDensityTask = (task: Task): boolean => task === 'forward' || task === 'logProb';

/** A row-major external as a tiled tensor. */
export function recordInput(r: Recorder, name: string, features: number): TiledTensor {
  const inside = r.tiled(features, name);
  const params = { features, is_context: Number(name === 'context') };
  r.run(pack.pack, { buffers: { outside: r.external(name, features), inside }, params });
  return inside;
}

/** The context, which may be one row for all; null where there is none. */
export const recordContext = (r: Recorder, contextDim: number, input = recordInput): TiledTensor | null =>
  contextDim > 0 ? input(r, 'context', contextDim) : null;

export function recordOutput(r: Recorder, name: string, tensor: TiledTensor): void {
  r.run(pack.unpack, {
    buffers: { tensor, result: r.external(name, tensor.features) },
    params: { features: tensor.features, is_context: 0 },
  });
}

/** The task's input, or a draw. */
export function recordStart(r: Recorder, task: Task, base: Base, context: TiledTensor | null): TiledTensor {
  const input = INPUTS[task];
  return input === null ? r.scope('base', () => base.sample(r, context)) : recordInput(r, input, base.dim);
}

/** A log-det of 0, or null where the task has none. */
export function recordLogDet(r: Recorder, task: Task): TiledTensor | null {
  return task === 'sample' ? null : startLogDet(r);
}

/** A log-det to add to. */
export function startLogDet(r: Recorder, value = 0): TiledTensor {
  const logDet = r.tiled(1, 'log-det');
  r.run(fill, { buffers: { destination: logDet }, params: { features: 1, value } });
  return logDet;
}

export interface Density {
  readonly x: TiledTensor;
  readonly context: TiledTensor | null;
  /** [1, rows], nats. */
  readonly logProb: TiledTensor;
}

/** Records log p(x), all tensors tiled: the task `logProb` without its output. @param input where `x` and `context` come from. */
export function recordDensity(r: Recorder, bijector: Bijector, base: Base, contextDim: number, input = recordInput): Density {
  const context = recordContext(r, contextDim, input);
  const x = input(r, 'x', bijector.dim);
  const logDet = startLogDet(r);
  const z = bijector.forward(r, x, { logDet, context });
  return { x, context, logProb: r.scope('base', () => base.logDensity(r, z, logDet, 1, context)) };
}

/** The task's outputs, of what went into the flow and what came out. */
export function recordEnd(
  r: Recorder,
  task: Task,
  base: Base,
  tensors: {
    readonly start: TiledTensor;
    readonly moved: TiledTensor;
    readonly logDet: TiledTensor | null;
    readonly context: TiledTensor | null;
  },
): void {
  const { start, moved, logDet, context } = tensors;
  const [z, sign] = isDensityTask(task) ? ([moved, 1] as const) : ([start, -1] as const);
  const density = () => r.scope('base', () => base.logDensity(r, z, logDet!, sign, context));
  for (const name of OUTPUTS[task]) recordOutput(r, name, name === 'logProb' ? density() : name === 'logDet' ? logDet! : moved);
}
