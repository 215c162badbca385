// Gradients of the mean negative log-likelihood by a flow's parameters.

import { checkContext, checkRows } from '../flows/checks.js';
import type { ContextOption, GpuFlow } from '../flows/flow.js';
import { recordDensity, recordOutput } from '../flows/task.js';
import { NEGATIVE, recordZeros, scatter } from '../kernels/parameters.js';
import { ValueError } from '../runtime/errors.js';
import type { Program } from '../runtime/program.js';
import { Recorder } from '../runtime/recorder.js';
import type { Residents } from '../runtime/residents.js';
import { runOnArrays } from '../runtime/run-arrays.js';
import type { TableTensor, Tensor, TiledTensor } from '../runtime/tensor.js';
import { recordGradients } from './differentiate.js';
import { type FlowLayers, modelOf } from './model.js';
import { finish, type Recompute } from './recompute.js';
import { flatParameters, layoutOf, type ParameterLayout, recordTrainable, type Trainable } from './trainable.js';

/** For each parameter, where the gradients of its copies lie: `readers` from `starts[j]` to `starts[j + 1]`; shaders/parameters.wgsl. */
function readersOf(places: Uint32Array, count: number) {
  const starts = new Uint32Array(count + 1);
  const each = (visit: (parameter: number, reader: number) => void) => {
    for (let i = 0; i < places.length; i++) {
      const word = places[i]!;
      if (word === 0) continue;
      const negative = word >= NEGATIVE;
      visit((negative ? word - NEGATIVE : word) - 1, 1 + i + (negative ? NEGATIVE : 0));
    }
  };
  each((parameter) => starts[parameter + 1]!++);
  if (starts.every((readers) => readers <= 1)) {
    const readers = new Uint32Array(count);
    each((parameter, reader) => {
      readers[parameter] = reader;
    });
    return { starts: new Uint32Array(1), readers, SINGLE: true };
  }
  for (let j = 0; j < count; j++) starts[j + 1]! += starts[j]!;
  const free = starts.slice();
  const readers = new Uint32Array(Math.max(1, starts[count]!));
  each((parameter, reader) => {
    readers[free[parameter]!++] = reader;
  });
  return { starts, readers, SINGLE: false };
}

type Read = Pick<Trainable<unknown>, 'gathered' | 'segments'>;

/** Records tables for the gradient by the packed numbers and for the loss, and one command that sets both to 0 before the first row. */
export function recordCleared(r: Recorder, { gathered }: Read): { readonly packed: TableTensor; readonly loss: TableTensor } {
  const [packed, loss] = r.once('before', () => recordZeros(r, { 'packed gradient': gathered?.places.length ?? 1, loss: 1 }));
  return { packed: packed!, loss: loss! };
}

/** Records packed += sign · d (Σ over rows of terms) / d packed numbers, after the commands of the terms; laid out as the packed parameters are. */
export function recordPackedGradient(
  r: Recorder,
  terms: TiledTensor,
  { gathered, segments }: Read,
  sign: number,
  packed: TableTensor,
): void {
  if (gathered) recordGradients(r, terms, sign, [], new Map([[gathered.table, packed]]), segments);
}

/** The same with sign · d (Σ over rows of terms) / d parameters, flat [count], in `gradient`. @param cleared tables of zeros. */
export function recordFlatGradient(
  r: Recorder,
  terms: TiledTensor,
  read: Read,
  count: number,
  sign: number,
  gradient: Tensor,
  cleared = recordCleared(r, read),
): void {
  const { packed } = cleared;
  recordPackedGradient(r, terms, read, sign, packed);
  const { starts, readers, SINGLE } = readersOf(read.gathered?.places ?? new Uint32Array(1), count);
  r.once('after', () =>
    r.run(scatter, {
      buffers: {
        d_table: packed,
        starts: r.constant(starts, 'starts'),
        readers: r.constant(readers, 'readers'),
        gradient,
      },
      params: { length: count },
      constants: { SINGLE },
    }),
  );
}

/** Records log p(x) of the externals `x` and `context` over the layers of a flow. */
export const recordOwnDensity = (r: Recorder, { bijector, base, contextDim }: FlowLayers) => recordDensity(r, bijector, base, contextDim);

/** The program of log p(x) and of the sum over rows of −d log p(x) / d parameters, flat [count], in the external `gradient`. */
export function recordParameterGradients(flow: GpuFlow, layout: ParameterLayout, recompute: Recompute = false): Program {
  const r = new Recorder('flow');
  const trainable = recordTrainable(r, modelOf(flow), layout, recordOwnDensity, { recompute });
  const { logProb } = trainable.ends;
  recordOutput(r, 'logProb', logProb);
  recordFlatGradient(r, logProb, trainable, layout.count, -1, r.external('gradient', 0));
  return finish(r.commands);
}

/** `Flow.gradients`; see there. @param residents the flow's own, which keep the program for the next call. */
export async function gradientsOf(
  flow: GpuFlow,
  residents: Residents,
  x: Float32Array,
  { context }: ContextOption,
): Promise<{ loss: number; gradients: Record<string, Float32Array> }> {
  const rows = checkRows('gradients: x', x, flow.dim);
  const contextStride = checkContext('gradients', context, flow.contextDim, rows);
  if (rows === 0) throw new ValueError('gradients: x', 'at least one row, since the loss is a mean', '0 rows');
  const layout = layoutOf(modelOf(flow));
  const outputs = { logProb: new Float32Array(rows), gradient: new Float32Array(layout.count) };
  const inputs = { x, parameters: flatParameters(modelOf(flow), layout), ...(context && { context }) };
  const executable = await residents.get('gradients', () => recordParameterGradients(flow, layout));
  residents.assertAlive();
  await runOnArrays(residents.gpu, executable, 'gradients', { rows, seed: 0, contextStride, inputs, outputs });
  const mean = outputs.gradient.map((value) => value / rows);
  return {
    loss: -outputs.logProb.reduce((sum, value) => sum + value, 0) / rows,
    gradients: Object.fromEntries(layout.tensors.map(({ name, from, length }) => [name, mean.slice(from, from + length)])),
  };
}
