// The file of a flow, and what the command line keeps in its metadata beside the description: the names of the columns, and whether they
// are integers. `loadFlow` passes over it.

import type { FlowDescription } from '../format/description.js';
import { descriptionFromMetadata } from '../format/format.js';
import { readSafetensors, writeSafetensors } from '../format/safetensors.js';
import { PushforwardError } from '../runtime/errors.js';
import { readBytes } from './files.js';
import { unnamed } from './table.js';
import { CommandError } from './usage.js';

const KEY = 'data';

/** What is known of the data that a flow was trained on. */
export interface DataNote {
  /** Names of the features, where the file had some. */
  readonly columns?: readonly string[];
  readonly contextColumns?: readonly string[];
  /** Features are integers 0 … levels − 1. */
  readonly levels?: number;
}

export interface SavedFlow {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly description: FlowDescription;
  readonly note: DataNote;
}

/** @param file as `flow.save()` wrote it. */
export function withNote(file: Uint8Array, note: DataNote): Uint8Array {
  const { tensors, metadata } = readSafetensors(file);
  return writeSafetensors(tensors, { ...metadata, [KEY]: JSON.stringify(note) });
}

const namesOf = (value: unknown, count: number): string[] | undefined =>
  Array.isArray(value) && value.length === count && value.every((name) => typeof name === 'string') ? value : undefined;

/** A file may have another's metadata under the same key: what does not fit is left out. */
function readNote(text: string | undefined, { features, context_features }: FlowDescription): DataNote {
  let value: unknown;
  try {
    value = JSON.parse(text ?? '{}');
  } catch {
    return {};
  }
  const { columns, contextColumns, levels } = (value ?? {}) as Record<string, unknown>;
  const named = namesOf(columns, features);
  const context = namesOf(contextColumns, context_features);
  const whole = Number.isInteger(levels) && (levels as number) >= 2 && (levels as number) <= 65536;
  return { ...(named && { columns: named }), ...(context && { contextColumns: context }), ...(whole && { levels: levels as number }) };
}

/** @throws CommandError for a file that is no flow. */
export async function readSaved(path: string): Promise<SavedFlow> {
  const bytes = await readBytes(path);
  try {
    const { metadata } = readSafetensors(bytes);
    const description = descriptionFromMetadata(metadata);
    return { path, bytes, description, note: readNote(metadata[KEY], description) };
  } catch (error) {
    if (error instanceof PushforwardError) throw new CommandError(`${path} is no flow that this package saved: ${error.message}`);
    throw error;
  }
}

/** Names for people: those of the data, or numbers. */
export const featureNames = ({ note, description }: SavedFlow): readonly string[] => note.columns ?? unnamed(description.features);

export const contextNames = ({ note, description }: SavedFlow): readonly string[] =>
  note.contextColumns ?? Array.from({ length: description.context_features }, (_, i) => `context ${i + 1}`);
