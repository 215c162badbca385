// A training run as a file: the numbers of every buffer that a step reads, and where the loop stands.

import { readMetadata } from '../format/metadata.js';
import { readSafetensors, type StoredTensor, writeSafetensors } from '../format/safetensors.js';
import { FormatError } from '../runtime/errors.js';
import type { Model } from './model.js';
import type { Plan } from './train.js';
import { layoutOf } from './trainable.js';

const KEY = 'pushforward.training';
/** In front of the names of the flow's own tensors that are not learned. */
const FIXED = 'flow.';

export interface Measurement {
  readonly step: number;
  readonly loss: number;
}

/** Where the loop of a run stands. */
export interface Progress {
  taken: number;
  /** Best loss of the held-out rows; Infinity before the first. */
  best: number;
  /** Measurements since it. */
  since: number;
  readonly validation: Measurement[];
}

export interface Checkpoint {
  readonly progress: Progress;
  /** What the trainer holds, by name. */
  readonly buffers: ReadonlyMap<string, Float32Array>;
  /** Tensors of the flow that are not learned: running statistics, masks. */
  readonly fixed: ReadonlyMap<string, Float32Array>;
}

/** What two runs must share for one to go on where the other stopped, by the words that an error uses. */
function signatureOf<L>(model: Model<L>, { step, objective, validateEvery }: Plan<L>): Record<string, string | number | boolean> {
  const { count, tensors } = layoutOf(model);
  const { name, shift, data, heldOut } = objective;
  const numbers = Object.entries(data).map(([key, { length }]) => [`numbers of ${key}`, length]);
  return {
    kind: name,
    parameters: count,
    tensors: tensors.map(({ name }) => name).join(),
    shift,
    ...Object.fromEntries(numbers),
    'held-out rows': heldOut?.rows ?? 0,
    ...step,
    // After the options that it may follow from.
    validateEvery,
  };
}

export function writeCheckpoint<L>(
  model: Model<L>,
  plan: Plan<L>,
  { taken, best, since, validation }: Progress,
  buffers: ReadonlyMap<string, Float32Array>,
) {
  const { tensors, parameterNames } = model;
  const fixed = [...tensors].filter(([name, { dtype }]) => dtype === 'F32' && !parameterNames.includes(name));
  const file: [string, StoredTensor][] = [
    ...[...buffers].map(([name, data]): [string, StoredTensor] => [name, { dtype: 'F32', shape: [data.length], data }]),
    ...fixed.map(([name, tensor]): [string, StoredTensor] => [FIXED + name, tensor]),
  ];
  const loop = { taken, best: Number.isFinite(best) ? best : null, since, validation };
  return writeSafetensors(file, { [KEY]: JSON.stringify({ loop, signature: signatureOf(model, plan) }) });
}

/** @throws FormatError for a file that is none, or of another flow, other data or other options. */
export function readCheckpoint<L>(model: Model<L>, plan: Plan<L>, bytes: Uint8Array): Checkpoint {
  const { tensors, metadata } = readSafetensors(bytes);
  const { loop, signature } = readMetadata(metadata, KEY, 'the state of a training run, as progress.state() gives it') as {
    loop: { taken: number; best: number | null; since: number; validation: Measurement[] };
    signature: Record<string, string | number | boolean>;
  };
  for (const [key, value] of Object.entries(signatureOf(model, plan)))
    if (signature[key] !== value)
      throw new FormatError(
        `${plan.objective.name}: resume`,
        `needs ${key} ${signature[key]}, as the run that was saved has; got ${value}`,
      );
  const entries = [...tensors].map(([name, { data }]) => [name, data.slice() as Float32Array] as const);
  return {
    progress: { ...loop, best: loop.best ?? Number.POSITIVE_INFINITY },
    buffers: new Map(entries.filter(([name]) => !name.startsWith(FIXED))),
    fixed: new Map(entries.filter(([name]) => name.startsWith(FIXED)).map(([name, data]) => [name.slice(FIXED.length), data])),
  };
}
