// From a description and its tensors to a temporal flow on a device.

import type { StoredTensor } from '../../format/safetensors.js';
import { joined, type TemporalDescription } from '../../format/temporal.js';
import { FormatError } from '../../runtime/errors.js';
import type { Gpu } from '../../runtime/gpu.js';
import { buildFlow } from '../build/flow.js';
import type { OpBuilders } from '../build/op.js';
import { StateReader } from '../build/state.js';
import type { GpuFlow } from '../flow.js';
import { Recurrent, type RecurrentWeights, recurrentShapes } from './recurrent.js';
import { TemporalFlow } from './temporal-flow.js';

type Tensors = ReadonlyMap<string, StoredTensor>;

/** A tensor of torch.nn.LSTM or GRU, those of options that are not supported among them: nothing reads these, which is an error. */
const RECURRENT = /^(weight|bias)_(ih|hh|hr)_l\d+(_reverse)?$/;

/** The recurrent network's tensors under their full names; the flow's under those that its description uses. @throws FormatError */
function divide(tensors: Tensors, { cell, flow_prefix }: TemporalDescription): { recurrent: Tensors; flow: Tensors } {
  const recurrent = new Map<string, StoredTensor>();
  const flow = new Map<string, StoredTensor>();
  const after = (name: string, prefix: string) => (name.startsWith(joined(prefix, '')) ? name.slice(joined(prefix, '').length) : null);
  for (const [name, tensor] of tensors) {
    const inFlow = after(name, flow_prefix);
    if (RECURRENT.test(after(name, cell.prefix) ?? '')) recurrent.set(name, tensor);
    else if (inFlow !== null) flow.set(inFlow, tensor);
    else throw new FormatError(name, 'is in the file, and nothing in the description reads it');
  }
  return { recurrent, flow };
}

/**
 * @param operations builders of the ops that the flow of a step may have.
 * @throws FormatError where a tensor is missing, surplus or does not fit; UnsupportedError as `buildFlow` does.
 */
export function buildTemporal(gpu: Gpu, description: TemporalDescription, tensors: Tensors, operations: OpBuilders): TemporalFlow {
  const divided = divide(tensors, description);
  try {
    const flow = buildFlow(gpu, description.flow, divided.flow, operations) as GpuFlow;
    return assemble(gpu, description, tensors, flow);
  } catch (error) {
    if (error instanceof FormatError && divided.flow.has(error.place))
      throw new FormatError(joined(description.flow_prefix, error.place), error.message.slice(error.place.length + 2));
    throw error;
  }
}

/** The flow of a step joined to the recurrent network, whose tensors are read here; surplus ones are an error. @throws FormatError */
export function assemble(gpu: Gpu, description: TemporalDescription, tensors: Tensors, flow: GpuFlow): TemporalFlow {
  const { features: dim, covariates, scaling, cell, flow_prefix } = description;
  const { type, hidden, layers, prefix } = cell;
  const state = new StateReader(divide(tensors, description).recurrent);
  const weights = Array.from({ length: layers }, (_, layer): RecurrentWeights => {
    const shapes = recurrentShapes(type, layer, layer === 0 ? dim + covariates : hidden, hidden);
    const read = ([name, shape]: (typeof shapes)['inputWeight']) => state.parameter(joined(prefix, name), shape);
    const biased = state.has(joined(prefix, shapes.inputBias[0])) || state.has(joined(prefix, shapes.hiddenBias[0]));
    return {
      inputWeight: read(shapes.inputWeight),
      hiddenWeight: read(shapes.hiddenWeight),
      inputBias: biased ? read(shapes.inputBias) : null, // bias=False leaves both out
      hiddenBias: biased ? read(shapes.hiddenBias) : null,
    };
  });
  const recurrentNames = new Set(state.finish());
  const flowNames = new Set(flow.parts.state.parameterNames.map((name) => joined(flow_prefix, name)));
  const parameterNames = [...tensors.keys()].filter((name) => recurrentNames.has(name) || flowNames.has(name));
  const recurrent = new Recurrent(type, dim + covariates, hidden, weights);
  return new TemporalFlow(gpu, { recurrent, flow, dim, covariates, scaling }, { description, tensors, parameterNames });
}
