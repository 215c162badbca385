// The description of a temporal flow, version 1: the recurrent network, and the flow of a step in the flow format. docs/flows/temporal.md.

import { FormatError } from '../runtime/errors.js';
import type { FlowDescription } from './description.js';
import { parseDescription } from './format.js';
import { metadataWith, readMetadata } from './metadata.js';
import { type Schema, validate } from './schema.js';

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

const schema: Schema = {
  type: 'object',
  required: ['version', 'features', 'cell', 'flow', 'flow_prefix'],
  properties: {
    version: { type: 'integer', enum: [1] },
    features: { type: 'integer', minimum: 1 },
    covariates: { type: 'integer', minimum: 0 },
    scaling: { type: 'string', enum: ['none', 'mean'] },
    cell: {
      type: 'object',
      required: ['type', 'hidden', 'layers', 'prefix'],
      properties: {
        type: { type: 'string', enum: ['lstm', 'gru'] },
        hidden: { type: 'integer', minimum: 1 },
        layers: { type: 'integer', minimum: 1 },
        prefix: { type: 'string' },
      },
    },
    flow: { type: 'object' },
    flow_prefix: { type: 'string' },
  },
};

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
  validate(schema, value, 'description');
  const { features, covariates = 0, scaling = 'none', cell, flow_prefix, flow } = value as TemporalDescription;
  const { type, hidden, layers, prefix } = cell;
  const step = await parseFlow(flow, 'description.flow');
  if (step.features !== features)
    throw new FormatError('description.flow.features', `needs ${features}, the features of a step; got ${step.features}`);
  const contexts = [...new Set([hidden, hidden + covariates])];
  if (!contexts.includes(step.context_features))
    throw new FormatError(
      'description.flow.context_features',
      `needs ${contexts.join(' or ')}: the hidden state${covariates > 0 ? ', without or with the covariates' : ''}; got ${step.context_features}`,
    );
  return { version: 1, features, covariates, scaling, cell: { type, hidden, layers, prefix }, flow: step, flow_prefix };
}

export const temporalMetadata = (description: TemporalDescription): Record<string, string> => metadataWith(metadataKey, description);

/** @throws FormatError where the metadata holds no temporal flow. */
export const temporalFromMetadata = (metadata: Readonly<Record<string, string>>): Promise<TemporalDescription> =>
  parseTemporal(readMetadata(metadata, metadataKey, 'a description; weights alone need importTemporal, another flow loadFlow'));
