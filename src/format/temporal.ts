// The description of a temporal flow, version 1: the recurrent network, and the flow of a step in the flow format. docs/flows/temporal.md.

import type { FlowDescription } from './description.js';
import { flowFormatSchema, parseDescription } from './format.js';
import { metadataWith, readMetadata } from './metadata.js';
import { needs } from './needs.js';
import { validate } from './schema.js';

export interface TemporalDescription {
  version: 1;
  /** D. */
  features: number;
  /** K. Default 0. */
  covariates: number;
  /** Default 'none'. */
  scaling: 'none' | 'mean';
  /** A torch.nn.LSTM or torch.nn.GRU of D + K inputs; `prefix` is what its tensors' names begin with, before the dot. */
  cell: { type: 'lstm' | 'gru'; hidden: number; layers: number; prefix: string };
  /** The flow of one step, with `features` D and `context_features` H or H + K. */
  flow: FlowDescription;
  /** What the names of the flow's tensors begin with, before the dot; they are named without it in `flow`. */
  flow_prefix: string;
}

const metadataKey = 'temporal';

/** A tensor's full name. */
export const joined = (prefix: string, name: string): string => (prefix === '' ? name : `${prefix}.${name}`);

/**
 * Checks a description; `parseFlow` reads its `flow`.
 * @throws FormatError, UnsupportedError as parseDescription does.
 */
export async function parseTemporal(
  value: unknown,
  parseFlow: (flow: object, place: string) => FlowDescription | Promise<FlowDescription> = parseDescription,
): Promise<TemporalDescription> {
  validate({ $ref: '#/$defs/temporal' }, value, 'description', flowFormatSchema);
  const { features, covariates = 0, scaling = 'none', cell, flow_prefix, flow } = value as TemporalDescription;
  const { type, hidden, layers, prefix } = cell;
  const step = await parseFlow(flow, 'description.flow');
  needs(step.features === features, 'description.flow.features', `${features}, the features of a step`, step.features);
  const contexts = [...new Set([hidden, hidden + covariates])];
  needs(
    contexts.includes(step.context_features),
    'description.flow.context_features',
    `${contexts.join(' or ')}: the hidden state${covariates > 0 ? ', without or with the covariates' : ''}`,
    step.context_features,
  );
  return { version: 1, features, covariates, scaling, cell: { type, hidden, layers, prefix }, flow: step, flow_prefix };
}

export const temporalMetadata = (description: TemporalDescription): Record<string, string> => metadataWith(metadataKey, description);

/** @throws FormatError where the metadata holds no temporal flow. */
export const temporalFromMetadata = (metadata: Readonly<Record<string, string>>): Promise<TemporalDescription> =>
  parseTemporal(readMetadata(metadata, metadataKey, 'a description; weights alone need importTemporal, another flow loadFlow'));
