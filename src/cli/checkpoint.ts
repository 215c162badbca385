// The file of a run that may go on: what `progress.state()` gives, and in its metadata what the library does not compare of two runs.

import { createHash } from 'node:crypto';
import { readSafetensors, writeSafetensors } from '../format/safetensors.js';
import { PushforwardError } from '../runtime/errors.js';
import { readBytes } from './files.js';
import type { Checkpoint, FitJob } from './jobs.js';
import { CommandError } from './usage.js';

const KEY = 'run';
/** Of src/training/checkpoint.ts, which a command that computes nothing itself does not load. */
const LIBRARY_KEY = 'pushforward.training';

/** By the words that an error uses. */
type Run = Readonly<Record<'flow' | 'standardised' | 'rows', string | boolean>>;

function runOf({ flow, standardise, train, validation }: FitJob): Run {
  const hash = createHash('sha256');
  for (const rows of [train, validation])
    for (const part of [rows?.x, rows?.context]) {
      const { buffer, byteOffset, byteLength } = part ?? new Float32Array();
      hash.update(`${byteLength} `).update(new Uint8Array(buffer, byteOffset, byteLength));
    }
  return { flow, standardised: standardise, rows: hash.digest('hex') };
}

/** @param state of the run, as the library gives it. */
export function withRun(state: Uint8Array, job: FitJob): Uint8Array {
  const { tensors, metadata } = readSafetensors(state);
  return writeSafetensors(tensors, { ...metadata, [KEY]: JSON.stringify(runOf(job)) });
}

/** What a run on the same rows left in a file. @throws CommandError */
export async function readRun(path: string, job: FitJob, data: string): Promise<Checkpoint> {
  const state = await readBytes(path);
  let saved: Partial<Run> = {};
  let best: number | null = null;
  try {
    const { metadata } = readSafetensors(state);
    saved = JSON.parse(metadata[KEY] ?? '{}');
    best = JSON.parse(metadata[LIBRARY_KEY] ?? '{}').loop?.best ?? null;
  } catch (error) {
    if (!(error instanceof PushforwardError || error instanceof SyntaxError)) throw error;
  }
  const { rows, ...settings } = runOf(job);
  if (typeof saved.rows !== 'string') throw new CommandError(`${path} is no checkpoint, as fit --checkpoint writes one`);
  for (const [key, value] of Object.entries(settings))
    if (saved[key as keyof Run] !== value)
      throw new CommandError(`${path} is of a run with ${key} ${saved[key as keyof Run]}; this one has ${value}`);
  if (saved.rows !== rows) throw new CommandError(`${path} is of a run on other rows than those of ${data}, or that held out others`);
  return { state, best };
}
