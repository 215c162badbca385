// The flows of the page: made afresh, with standardisation where the data need it, or read from a file.

import { DataError } from '../../../src/cli/table.js';
import { type Flow, type Gpu, loadFlow, maf, neuralSpline, realNVP, standardised } from '../../../src/index.js';
import type { DataSet } from './data.js';

export type Kind = 'maf' | 'realNVP' | 'spline';

export interface FlowChoice {
  readonly kind: Kind;
  readonly layers: number;
  readonly width: number;
}

const SEED = 1;
/** Of a layer of a MAF. Unbounded scales let a single held-out row cost thousands of nats when the rows are few. */
const LEAST_SCALE = 0.01;
/** Of a spline: standardised data, and the toy densities, lie within it but for a few. */
const BOUND = 5;

function recipe(gpu: Gpu, { kind, layers, width }: FlowChoice, dim: number): Promise<Flow> {
  const options = { dim, layers, hidden: [width, width], seed: SEED };
  if (kind === 'maf') return maf(gpu, { ...options, scale: { form: 'softclip', slope: LEAST_SCALE } });
  if (kind === 'realNVP') return realNVP(gpu, options);
  return neuralSpline(gpu, { ...options, bins: dim === 2 ? 16 : 8, bound: BOUND, type: dim === 1 ? 'autoregressive' : 'coupling' });
}

/**
 * A fresh flow over the data in their own units. Where they need it, its first layer standardises them, so that what is downloaded takes
 * the columns of the file as they are.
 *
 * @throws ValueError for a choice that the recipe refuses.
 */
export async function makeFlow(gpu: Gpu, choice: FlowChoice, { columns, train, inUnits }: DataSet): Promise<Flow> {
  const flow = await recipe(gpu, choice, columns.length);
  if (!inUnits) return flow;
  const whole = standardised(flow, train);
  flow.dispose();
  return whole;
}

/** @throws FormatError and others of the library for a file that is no flow; DataError for a flow that needs a context. */
export async function openFlow(gpu: Gpu, file: File): Promise<Flow> {
  const flow = await loadFlow(gpu, new Uint8Array(await file.arrayBuffer()));
  if (flow.contextDim === 0) return flow;
  flow.dispose();
  throw new DataError(`${file.name} holds a conditional flow: its density needs a context, which this page has not.`);
}
